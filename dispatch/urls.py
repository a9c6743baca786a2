from django.urls import URLPattern, URLResolver, path

from dispatch import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("dispatch/", views.show, name="dispatch"),
    path("dispatch/<int:pk>/try-again/", views.try_again, name="dispatch-try-again"),
]
