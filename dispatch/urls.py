from django.urls import URLPattern, URLResolver, path

from dispatch import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("dispatch/", views.show, name="dispatch"),
    path("dispatch/try-all-again/", views.try_all_again, name="dispatch-try-all-again"),
    path("dispatch/<int:pk>/try-again/", views.try_again, name="dispatch-try-again"),
]
