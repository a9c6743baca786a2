from django.urls import URLPattern, path

from surveys.views import messages, survey_page, unsubscribe

urlpatterns: list[URLPattern] = [
    path("messages/", messages.list_messages, name="messages"),
    path("messages/<int:pk>/", messages.show_message, name="message"),
    path("messages/<int:pk>/<str:act>/", messages.act_on_message, name="message-act"),
    path("s/<str:token>/", survey_page.survey_page, name="survey-page"),
    path("s/<str:token>/thanks/", survey_page.survey_thanks, name="survey-thanks"),
    path("u/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
]
