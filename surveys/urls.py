from django.urls import URLPattern, URLResolver, include, path

from surveys.views import messages, responses, sending, survey_page, surveys, unsubscribe

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("surveys.api.urls")),
    path("messages/", messages.list_messages, name="messages"),
    path("messages/sending/", sending.show_sending, name="sending"),
    path("messages/sending/<str:act>/", sending.act_on_sending, name="sending-act"),
    path("messages/<int:pk>/", messages.show_message, name="message"),
    path("messages/<int:pk>/<str:act>/", messages.act_on_message, name="message-act"),
    path("surveys/", surveys.list_surveys, name="surveys"),
    path("surveys/<slug:slug>/", surveys.show_survey, name="survey"),
    path("surveys/<slug:slug>/preview/", surveys.preview_survey, name="survey-preview"),
    path("responses/", responses.list_responses, name="responses"),
    path("responses/<int:pk>/", responses.show_response, name="response"),
    path("s/<str:token>/", survey_page.survey_page, name="survey-page"),
    path("s/<str:token>/thanks/", survey_page.survey_thanks, name="survey-thanks"),
    path("u/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
]
