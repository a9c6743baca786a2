"""`/api/v1/`: everything under it answers JSON, also what is not there."""

from django.urls import path, re_path

from recovery.api import (
    insight,
    insight_drivers,
    insight_fixes,
    insight_loop,
    insight_panel,
    insight_recovery,
    insight_surveys,
    insight_times,
    insight_value,
)
from recovery.api.acts import ACTS
from recovery.api.views import people, responses, tickets
from recovery.api.views.acts import view_of
from recovery.api.views.bulk import Bulk
from recovery.api.views.missing import Missing
from recovery.api.views.preview import Preview

urlpatterns = [
    path("responses/", responses.Responses.as_view(), name="api-responses"),
    path("responses/batch/", responses.Batch.as_view(), name="api-responses-batch"),
    path("tickets/", tickets.Tickets.as_view(), name="api-tickets"),
    path("tickets/bulk/", Bulk.as_view(), name="api-tickets-bulk"),
    path("tickets/<slug:number>/", tickets.OneTicket.as_view(), name="api-ticket"),
    *(
        path(f"tickets/<slug:number>/{act.name}/", view_of(act).as_view(), name=f"api-ticket-{act.name}")
        for act in ACTS.values()
    ),
    path("callbacks/", tickets.Callbacks.as_view(), name="api-callbacks"),
    path("customers/", people.Customers.as_view(), name="api-customers"),
    path("customers/<int:pk>/", people.OneCustomer.as_view(), name="api-customer"),
    path("invitations/", people.Invitations.as_view(), name="api-invitations"),
    path("invitations/<int:pk>/", people.OneInvitation.as_view(), name="api-invitation"),
    path("deadlines/preview/", Preview.as_view(), name="api-deadlines-preview"),
    path("insight/nps/", insight_surveys.NpsView.as_view(), name="api-insight-nps"),
    path("insight/recovery/", insight_recovery.RecoveryView.as_view(), name="api-insight-recovery"),
    path("insight/loop/", insight_loop.LoopView.as_view(), name="api-insight-loop"),
    path("insight/times/", insight_times.TimesView.as_view(), name="api-insight-times"),
    path("insight/causes/", insight.CausesView.as_view(), name="api-insight-causes"),
    path("insight/panel/", insight_panel.PanelView.as_view(), name="api-insight-panel"),
    path("insight/drivers/", insight_drivers.DriversView.as_view(), name="api-insight-drivers"),
    path("insight/fixes/", insight_fixes.FixesView.as_view(), name="api-insight-fixes"),
    path("insight/value/", insight_value.ValueView.as_view(), name="api-insight-value"),
    path("insight/targets/", insight_value.TargetsView.as_view(), name="api-insight-targets"),
    # Last: what none of the above and nothing before it knows.
    re_path(r"", Missing.as_view(), name="api-missing"),
]
