"""Every route of the API, in one table: what the document of GET /openapi.json is made from."""

from dataclasses import dataclass

from pydantic import BaseModel

from functions.manage.ingest_bodies import StatementFileBody
from shared.contracts import (
    accounts,
    bills,
    dunning,
    ingestions,
    notifications,
    organizations,
    print_batches,
    simulation,
    templates,
)
from shared.domain.records.partner import Scope
from shared.domain.vocabulary.words import BillStatus, Channel, IngestionResult, NoticeStatus

ORGANIZATION = "/v1/organizations/{orgId}"
BILL = f"{ORGANIZATION}/bills/{{statementId}}"
NOTIFICATION = f"{ORGANIZATION}/notifications/{{notificationId}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query parameter."""

    name: str
    description: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route. scope: None for a public one. problems: statuses besides those that all routes may answer.

    merges: a body that is a merge patch though the method isn't PATCH.
    """

    method: str
    path: str
    operation: str
    summary: str
    tag: str
    scope: Scope | None = None
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    query: tuple[Query, ...] = ()
    problems: tuple[int, ...] = ()
    html: bool = False
    merges: bool = False

    @property
    def merge_patch(self) -> bool:
        """Whether the body is a merge patch."""
        return self.merges or self.method == "patch"

    @property
    def paged(self) -> bool:
        """Whether the route answers a list, page by page."""
        return self.answer is not None and "next_cursor" in self.answer.model_fields

    @property
    def partner(self) -> bool:
        """Whether the route is for partners, with a key."""
        return self.path.startswith("/v1/")


SEARCH = Query(name="search", description="Part of a name or id, in any case.")
STATUS = Query(name="status", description="One notification status.", words=tuple(NoticeStatus))
CHANNEL = Query(name="channel", description="One channel.", words=tuple(Channel))

STATEMENTS = (
    Route(
        method="post",
        path="/v1/statements",
        operation="sendStatements",
        summary="Send up to 500 statements; each gets its result, and a bad one fails alone",
        tag="Statements",
        scope=Scope.STATEMENTS_WRITE,
        body=StatementFileBody,
        answer=ingestions.StatementsAnswer,
        problems=(413,),
    ),
    Route(
        method="post",
        path="/v1/ingestions",
        operation="startIngestion",
        summary="Get an address to upload a statement file of any size to",
        tag="Statements",
        scope=Scope.STATEMENTS_WRITE,
        body=ingestions.NewUpload,
        answer=ingestions.UploadAnswer,
        status=201,
    ),
    Route(
        method="get",
        path="/v1/ingestions",
        operation="listIngestions",
        summary="List statement files with their status and counts",
        tag="Statements",
        scope=Scope.READ,
        answer=ingestions.IngestionsPage,
    ),
    Route(
        method="get",
        path="/v1/ingestions/{ingestionId}",
        operation="readIngestion",
        summary="Read a statement file's status and counts",
        tag="Statements",
        scope=Scope.READ,
        answer=ingestions.IngestionAnswer,
    ),
    Route(
        method="get",
        path="/v1/ingestions/{ingestionId}/statements",
        operation="listIngestedStatements",
        summary="List what became of the statements of a file",
        tag="Statements",
        scope=Scope.READ,
        answer=ingestions.StatementRowsPage,
        query=(Query(name="result", description="One result.", words=tuple(IngestionResult)),),
    ),
)

ORGANIZATIONS = (
    Route(
        method="post",
        path="/v1/organizations",
        operation="createOrganization",
        summary="Create an organization: Enabled, Active, on the standard preset unless the body says otherwise",
        tag="Organizations",
        scope=Scope.MANAGE,
        body=organizations.OrganizationBody,
        answer=organizations.OrganizationAnswer,
        status=201,
        problems=(409,),
    ),
    Route(
        method="get",
        path="/v1/organizations",
        operation="searchOrganizations",
        summary="Find organizations by name or client id",
        tag="Organizations",
        scope=Scope.READ,
        answer=organizations.OrganizationsPage,
        query=(SEARCH,),
    ),
    Route(
        method="get",
        path=ORGANIZATION,
        operation="readOrganization",
        summary="Read an organization",
        tag="Organizations",
        scope=Scope.READ,
        answer=organizations.OrganizationAnswer,
    ),
    Route(
        method="patch",
        path=ORGANIZATION,
        operation="changeOrganization",
        summary="Change an organization by a merge patch; ids are read-only",
        tag="Organizations",
        scope=Scope.MANAGE,
        body=organizations.OrganizationBody,
        answer=organizations.OrganizationAnswer,
        problems=(409,),
    ),
)

DUNNING = (
    Route(
        method="get",
        path="/v1/dunning-configurations",
        operation="searchDunningConfigurations",
        summary="Find dunning configurations",
        tag="Dunning",
        scope=Scope.READ,
        answer=dunning.ConfigurationsPage,
        query=(SEARCH,),
    ),
    Route(
        method="get",
        path="/v1/dunning-configurations/{configurationId}",
        operation="readDunningConfiguration",
        summary="Read a dunning configuration",
        tag="Dunning",
        scope=Scope.READ,
        answer=dunning.ConfigurationAnswer,
    ),
    Route(
        method="get",
        path=f"{ORGANIZATION}/dunning",
        operation="readDunningSettings",
        summary="Read an organization's dunning settings",
        tag="Dunning",
        scope=Scope.READ,
        answer=dunning.DunningAnswer,
    ),
    Route(
        method="patch",
        path=f"{ORGANIZATION}/dunning",
        operation="changeDunningSettings",
        summary="Change dunning settings by a merge patch, null to inherit; every account that owes is planned anew",
        tag="Dunning",
        scope=Scope.MANAGE,
        body=dunning.DunningBody,
        answer=dunning.DunningAnswer,
        problems=(409,),
    ),
    Route(
        method="post",
        path=f"{ORGANIZATION}/dunning/simulation",
        operation="simulateDunningSettings",
        summary="Foresee the notices of the open book before and after a merge patch of its settings; changes nothing",
        tag="Dunning",
        scope=Scope.READ,
        body=simulation.SimulationBody,
        answer=simulation.SimulationAnswer,
        merges=True,
    ),
    Route(
        method="get",
        path="/v1/dunning-defaults",
        operation="readDunningDefaults",
        summary="Read the dunning settings that your organizations inherit",
        tag="Dunning",
        scope=Scope.READ,
        answer=dunning.DunningAnswer,
    ),
    Route(
        method="patch",
        path="/v1/dunning-defaults",
        operation="changeDunningDefaults",
        summary="Change what your organizations inherit by a merge patch; it is passed on to them in the background",
        tag="Dunning",
        scope=Scope.MANAGE,
        body=dunning.DunningBody,
        answer=dunning.DunningAnswer,
        problems=(409,),
    ),
)

BILLS = (
    Route(
        method="get",
        path=f"{ORGANIZATION}/bills",
        operation="listBills",
        summary="List bills",
        tag="Bills",
        scope=Scope.READ,
        answer=bills.BillsPage,
        query=(Query(name="status", description="One bill status.", words=tuple(BillStatus)),),
    ),
    Route(
        method="get",
        path=BILL,
        operation="readBill",
        summary="Read a bill as it stands today",
        tag="Bills",
        scope=Scope.READ,
        answer=bills.BillAnswer,
    ),
    Route(
        method="get",
        path=f"{BILL}/history",
        operation="readBillHistory",
        summary="List every event of a bill and of the notices about it, oldest first",
        tag="Bills",
        scope=Scope.READ,
        answer=bills.HistoryPage,
    ),
    Route(
        method="get",
        path=f"{BILL}/forecast",
        operation="forecastBill",
        summary="List the next notices about a bill if nothing changes",
        tag="Bills",
        scope=Scope.READ,
        answer=bills.ForecastAnswer,
    ),
    Route(
        method="get",
        path=f"{BILL}/explanation",
        operation="explainBill",
        summary="Tell each rule looked at for a bill now, what it found, and the outcome, for every channel",
        tag="Bills",
        scope=Scope.READ,
        answer=bills.ExplanationAnswer,
    ),
    Route(
        method="post",
        path=f"{BILL}/status",
        operation="changeBillStatus",
        summary="Suspend, cancel or reopen a bill",
        tag="Bills",
        scope=Scope.MANAGE,
        body=bills.BillStatusBody,
        answer=bills.BillAnswer,
        problems=(409,),
    ),
    Route(
        method="post",
        path=f"{BILL}/payments",
        operation="postPayment",
        summary="Post money taken elsewhere; a transactionId already posted answers 200 with what was posted",
        tag="Bills",
        scope=Scope.PAYMENTS_WRITE,
        body=bills.PaymentBody,
        answer=bills.PaymentAnswer,
        status=201,
        problems=(409,),
    ),
    Route(
        method="post",
        path=f"{BILL}/notifications",
        operation="notifyOnDemand",
        summary="Send a notice about a bill now, past thresholds and without a level",
        tag="Bills",
        scope=Scope.SEND,
        body=notifications.OnDemandBody,
        answer=notifications.OnDemandAnswer,
        status=202,
        problems=(409,),
    ),
    Route(
        method="post",
        path=f"{BILL}/payment-links",
        operation="sendPaymentLink",
        summary="Send a one-time payment link by email; the one sent before is superseded",
        tag="Payment links",
        scope=Scope.SEND,
        body=bills.PaymentLinkBody,
        answer=bills.PaymentLinkAnswer,
        status=201,
        problems=(409,),
    ),
    Route(
        method="get",
        path=f"{BILL}/payment-links",
        operation="listPaymentLinks",
        summary="List the payment links that staff sent for a bill, the latest first",
        tag="Payment links",
        scope=Scope.READ,
        answer=bills.PaymentLinksPage,
    ),
    Route(
        method="post",
        path=f"{BILL}/payment-links/{{paymentLinkId}}/revoke",
        operation="revokePaymentLink",
        summary="Make a payment link lead nowhere",
        tag="Payment links",
        scope=Scope.SEND,
        answer=bills.PaymentLinkAnswer,
        problems=(409,),
    ),
)

ACCOUNTS = (
    Route(
        method="get",
        path=f"{ORGANIZATION}/accounts/{{accountId}}",
        operation="readAccount",
        summary="Read an account: contact, language, opt-outs, holds, balance, credit",
        tag="Accounts",
        scope=Scope.READ,
        answer=accounts.AccountAnswer,
    ),
    Route(
        method="patch",
        path=f"{ORGANIZATION}/accounts/{{accountId}}",
        operation="changeAccount",
        summary="Change an account by a merge patch; a hold or opt-out cancels what is pending at once",
        tag="Accounts",
        scope=Scope.MANAGE,
        body=accounts.AccountBody,
        answer=accounts.AccountAnswer,
        problems=(409,),
    ),
    Route(
        method="get",
        path=f"{ORGANIZATION}/accounts/{{accountId}}/consents",
        operation="listConsents",
        summary="List which channels were closed and opened, when, by whom, by which way and in which words",
        tag="Accounts",
        scope=Scope.READ,
        answer=accounts.ConsentsPage,
    ),
)

NOTIFICATIONS = (
    Route(
        method="get",
        path=f"{ORGANIZATION}/notifications",
        operation="listNotifications",
        summary="List the notification queue, upcoming and past, those scheduled last first",
        tag="Notifications",
        scope=Scope.READ,
        answer=notifications.NotificationsPage,
        query=(
            STATUS,
            CHANNEL,
            Query(name="ingestionId", description="Those that one file brought about."),
            Query(name="attention", description="true: the worklist of errors only.", words=("true", "false")),
        ),
    ),
    Route(
        method="get",
        path=NOTIFICATION,
        operation="readNotification",
        summary="Read a notification with its status history",
        tag="Notifications",
        scope=Scope.READ,
        answer=notifications.NotificationAnswer,
    ),
    *(
        Route(
            method="post",
            path=f"{NOTIFICATION}/{action}",
            operation=f"{action}Notification",
            summary=summary,
            tag="Notifications",
            scope=Scope.MANAGE,
            body=notifications.QueueActionBody,
            answer=notifications.NotificationAnswer,
            problems=(409,),
        )
        for action, summary in (
            ("cancel", "Keep a notification from going, or take it off the worklist"),
            ("retry", "Have a failed notification tried again now"),
            ("archive", "Put a notification away that needs no more attention"),
        )
    ),
    Route(
        method="get",
        path=f"{ORGANIZATION}/print-batches",
        operation="listPrintBatches",
        summary="List the daily batches of letters, the newest first; a closed one has a manifest",
        tag="Notifications",
        scope=Scope.READ,
        answer=print_batches.PrintBatchesPage,
    ),
    Route(
        method="get",
        path="/v1/templates",
        operation="listTemplates",
        summary="List the system's own templates",
        tag="Templates",
        scope=Scope.READ,
        answer=templates.TemplatesPage,
    ),
)

PAGES = tuple(
    Route(method=method, path=path, operation=operation, summary=summary, tag="Patient pages", html=True)
    for method, path, operation, summary in (
        ("get", "/pay/{token}", "openLink", "Ask for the date of birth, then show the balance"),
        ("post", "/pay/{token}/verify", "verify", "Check the date of birth"),
        ("post", "/pay/{token}/checkout", "checkOut", "Send the browser to the processor"),
        *(
            ("get", f"/pay/{{token}}/{step}", f"returnFrom{step.capitalize()}", "Lead back to the link's page")
            for step in ("verify", "checkout", "renew")
        ),
        ("get", "/pay/{token}/done", "finish", "Show what was paid"),
        ("post", "/pay/{token}/renew", "renewLink", "Send a new link to the address on file"),
        ("get", "/bill", "askBillCode", "Ask for the printed bill code"),
        ("post", "/bill", "openBillCode", "Open the page of a printed bill code"),
        ("get", "/unsubscribe/{token}", "showUnsubscribe", "Ask whether emails shall stop; changes nothing"),
        ("post", "/unsubscribe/{token}", "unsubscribe", "Stop emails (one click: RFC 8058), or choose channels"),
    )
)

OTHERS = (
    Route(
        method="post",
        path="/webhooks/sandbox/{orgId}",
        operation="hearSandbox",
        summary="Hear from the simulated processor, in stacks that allow it",
        tag="Inbound",
    ),
    Route(method="get", path="/openapi.json", operation="readDocument", summary="This document", tag="Documentation"),
    Route(
        method="get",
        path="/docs",
        operation="readDocumentation",
        summary="This document for people",
        tag="Documentation",
        html=True,
    ),
)

ROUTES = (
    *STATEMENTS,
    *ORGANIZATIONS,
    *DUNNING,
    *BILLS,
    *ACCOUNTS,
    *NOTIFICATIONS,
    *PAGES,
    *OTHERS,
)
