from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from recovery.views import (
    acts,
    callbacks,
    customers,
    demo,
    desk,
    insight,
    insight_csv,
    insight_tickets,
    overdue,
    request_page,
    ticket,
    tickets,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("recovery.api.urls")),
    path("", RedirectView.as_view(pattern_name="desk"), name="home"),
    path("desk/", desk.desk, name="desk"),
    path("desk/counts/", desk.desk_counts, name="desk-counts"),
    path("tickets/", tickets.list_tickets, name="tickets"),
    path("tickets/<str:number>/", ticket.show_ticket, name="ticket"),
    path("tickets/<str:number>/<str:act>/", acts.act_on_ticket, name="act"),
    path("overdue/", overdue.overdue, name="overdue"),
    path("overdue/act/", overdue.act_on_many, name="overdue-act"),
    path("callbacks/", callbacks.list_callbacks, name="callbacks"),
    path("insight/", insight.show_recovery, name="insight"),
    path("insight/times/", insight.show_times, name="insight-times"),
    path("insight/causes/", insight.show_causes, name="insight-causes"),
    path("insight/tickets/", insight_tickets.show_tickets, name="insight-tickets"),
    path("insight/csv/", insight_csv.export_csv, name="insight-csv"),
    path("customers/", customers.list_customers, name="customers"),
    path("customers/<int:pk>/", customers.show_customer, name="customer"),
    path("r/<str:token>/", request_page.answer_request, name="request"),
    path("demo/inbox/", demo.inbox, name="demo-inbox"),
    path("demo/inbox/<str:mail_id>/", demo.inbox, name="demo-mail"),
    path("demo/inbox/<str:mail_id>/body/", demo.mail_body, name="demo-mail-body"),
    path("demo/ask-me/", demo.ask_me, name="demo-ask"),
    path("demo/become/", demo.become, name="demo-become"),
]
