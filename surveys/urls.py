from django.urls import URLPattern, path

from surveys.views import messages, unsubscribe

urlpatterns: list[URLPattern] = [
    path("messages/", messages.list_messages, name="messages"),
    path("messages/<int:pk>/", messages.show_message, name="message"),
    path("messages/<int:pk>/<str:act>/", messages.act_on_message, name="message-act"),
    path("u/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
]
