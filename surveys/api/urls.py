from django.urls import path

from surveys.api.views import Surveys

urlpatterns = [
    path("surveys/", Surveys.as_view(), name="api-surveys"),
]
