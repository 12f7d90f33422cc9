"""The recipes of the development guide: what is written where to add one of everything."""

from customs.db.schema_guard import newest_version
from tests.recipes.recipe import Edit, Recipe

OFFICES = "customs/declarations/offices.py"
RULES = "customs/declarations/intake/rules.py"
ERRORS = "customs/web/error_catalog.toml"
ROLES = "customs/auth/roles.py"
EVENTS = "customs/events/outbox.py"
RESULTS = "customs/declarations/reading/result_export.py"
CHINESE = "customs/web/translations/zh_CN/LC_MESSAGES/messages.po"

RECIPES = (
    Recipe(
        "an office",
        1,
        (
            Edit(
                OFFICES,
                """        Office(
            "QINGDAO", "青岛", "Qingdao", {WECHAT: ("QINGDAO",), ALIPAY: ("QINGDAO_ZS", "ZONGSHU")}, ordered=True
        ),
""",
                after='Office("SUZHOU", ',
            ),
        ),
    ),
    Recipe(
        "a rule for orders (preflight)",
        2,
        (
            Edit(
                RULES,
                """def _duty_is_lucky(order: Order) -> Iterator[RuleFinding]:
    if order.duty == 666:
        yield RuleFinding("duty", "duty_unlucky", ERROR, "this duty brings no luck", "ask for another one")


RULES: tuple[Rule, ...] = (
    _duty_is_lucky,
""",
                instead="RULES: tuple[Rule, ...] = (\n",
            ),
            Edit(
                ERRORS,
                """[orders.duty_unlucky]
meaning = "This duty brings no luck."
action = "Ask for another one."

[orders.number_invalid]
""",
                instead="[orders.number_invalid]\n",
            ),
        ),
    ),
    Recipe(
        "an error",
        2,
        (
            Edit(
                "customs/errors.py",
                '''class TideTooLow(CustomsError):
    """No ship comes in at this hour."""

    status = 409


'''
                "class NotFound(CustomsError):\n",
                instead="class NotFound(CustomsError):\n",
            ),
            Edit(
                ERRORS,
                """[problems.tide_too_low]
meaning = "No ship comes in at this hour."
action = "Try again in a moment."

[problems.not_found]
""",
                instead="[problems.not_found]\n",
            ),
        ),
    ),
    Recipe(
        "a role",
        1,
        (
            Edit(ROLES, '    AUDITOR = "auditor"\n', after='    ADMIN = "admin"'),
            Edit(
                ROLES,
                """    Role.AUDITOR: RoleRow(
        _("Auditor"), _("reads"), "eye", frozenset({Scope.DECLARATIONS_READ, Scope.DECLARATIONS_REVIEW})
    ),
""",
                after="ROWS = {",
            ),
        ),
    ),
    Recipe(
        "an event for webhooks",
        1,
        (
            Edit(
                EVENTS,
                '    DECLARATION_ARCHIVED = "declaration.archived", _("a declaration was put aside")\n',
                after="    DECLARATION_DISMISSED = ",
            ),
        ),
    ),
    Recipe(
        "a payment method",
        4,
        (
            Edit(
                "customs/gateway/endpoints.py",
                '    Endpoint("face_pay", "POST", "/face_pay", "4.99", (*WECHAT_SALE, "auth_code"), WECHAT_TRACE),\n',
                after='    Endpoint("scanned_pay", ',
            ),
            Edit(
                "customs/gateway/methods.py",
                '    Method(Channel.WECHATPAY, BY_NAME["face_pay"], NOTHING, one_time="auth_code"),\n',
                after='    Method(Channel.WECHATPAY, BY_NAME["scanned_pay"], ',
            ),
            Edit(
                "customs/payments/labels.py",
                '    Way(Channel.WECHATPAY, "face_pay", _("Face"), _("The payer looks into a camera."), "qr-code"),\n',
                after="WAYS = (",
            ),
            Edit(
                "customs/sandbox/methods.py",
                '    "face_pay": Method("FACE", order=MICRO),\n',
                after='    "scan_pay": Method(',
            ),
        ),
    ),
    Recipe(
        "a column of a declaration",
        10,
        (
            Edit(
                "customs/declarations/fields.py",
                """    Field(
        header="logistics_no",
        chinese="物流单号",
        kind=Kind.NUMBER,
        label=_("Logistics number"),
        hint=_("The parcel's number."),
        longest=32,
        changeable=True,
        published=True,
    ),
""",
                after="FIELDS = (",
            ),
            Edit(
                "customs/declarations/intake/orders.py",
                "    logistics_no: str | None = None\n",
                after="    duty: int | None = None",
            ),
            Edit(
                "customs/declarations/models.py",
                "    logistics_no: Mapped[str | None] = mapped_column(String(32))\n",
                after="    duty: Mapped[int | None]",
            ),
            Edit(
                "migrations/versions/9999_logistics_no.py",
                f"""import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "{newest_version()}"


def upgrade() -> None:
    op.add_column("declarations", sa.Column("logistics_no", sa.String(32)))
""",
            ),
            Edit(
                "customs/declarations/serializers.py",
                """    out_order_no = out.Text()
    payment_no = out.Text()
    logistics_no = out.Text(optional=True)
    mch_customs_no = out.Text()
""",
                instead="""    out_order_no = out.Text()
    payment_no = out.Text()
    mch_customs_no = out.Text()
""",
            ),
            Edit(
                "customs/declarations/serializers.py",
                "    logistics_no = out.Text(optional=True)\n",
                after='    source = "values"\n',
            ),
            Edit(
                RESULTS,
                '    "logistics_no": WIDTH,\n',
                after="COLUMNS = {",
            ),
            Edit(
                RESULTS,
                '                declaration.logistics_no or "",\n',
                after="            yield [",
            ),
            Edit(
                RESULTS,
                '    "logistics_no": _("Logistics number"),\n',
                after='    "results": _("Results"),',
            ),
            Edit(
                "customs/site/openapi/document.py",
                """    "logistics_no": "The parcel's number.",\n""",
                after='    "duty": "',
            ),
            Edit(
                "customs/gateway/declaration_request.py",
                "    logistics_no: str | None = None\n",
                after="    duty: int | None = None",
            ),
            Edit(
                "customs/gateway/endpoints.py",
                '        ("duty", "logistics_no", "action_type", *WECHAT_SPLIT, *IDENTITY),\n',
                instead='        ("duty", "action_type", *WECHAT_SPLIT, *IDENTITY),\n',
            ),
            Edit(
                "customs/gateway/endpoints.py",
                '        ("logistics_no", *ALIPAY_SPLIT, *IDENTITY),\n',
                instead="        (*ALIPAY_SPLIT, *IDENTITY),\n",
            ),
            Edit(
                CHINESE,
                'msgid "Logistics number"\nmsgstr "物流单号"\n\nmsgid "The parcel\'s number."\nmsgstr "运单号。"\n\n'
                'msgid "Orders"\n',
                instead='msgid "Orders"\n',
            ),
        ),
    ),
    Recipe(
        "a channel",
        8,
        (
            Edit("customs/gateway/channels.py", '    UNIONPAY = "unionpay"\n', after='    ALIPAY = "alipay"'),
            Edit(
                "customs/gateway/channels.py",
                '''class UnionPay(DeclarationChannel):
    """The `unionpay` channel."""

    def declare(self, filing: Filing) -> DeclarationReply:
        """Declare it."""
        return self._call("unionpay_declare", filing, filing.params_for(BY_NAME["unionpay_declare"]))

    def modify(self, filing: Filing) -> DeclarationReply:
        """There is none."""
        raise Misuse("UnionPay has no MODIFY")

    def redeclare(self, filing: Filing) -> DeclarationReply:
        """Push it again."""
        params = filing.params_for(BY_NAME["unionpay_redeclare"]) | filing.repush_number
        return self._call("unionpay_redeclare", filing, params)

    def query(self, filing: Filing) -> DeclarationReply:
        """Ask for its state."""
        return self._call("unionpay_query_declaration", filing, filing.query_number | {"customs": filing.customs})


@dataclass(frozen=True)
class FieldNames:
''',
                instead="@dataclass(frozen=True)\nclass FieldNames:\n",
            ),
            Edit(
                "customs/gateway/channels.py",
                "    Channel.UNIONPAY: UnionPay,\n",
                after="    Channel.ALIPAY: Alipay,",
            ),
            Edit(
                "customs/gateway/endpoints.py",
                """    Endpoint("unionpay_declare", "POST", "/unionpay/declaration", "9.7", DECLARED, IDENTITY),
    Endpoint(
        "unionpay_redeclare",
        "POST",
        "/unionpay/redeclaration",
        "9.8",
        ("customs", "mch_customs_no"),
        one_of=DECLARED_NUMBER,
    ),
    Endpoint(
        "unionpay_query_declaration", "GET", "/unionpay/declaration", "9.9", ("customs",), one_of=DECLARED_NUMBER
    ),
""",
                after="ENDPOINTS: tuple[Endpoint, ...] = (",
            ),
            Edit(
                "customs/gateway/messages/declarations.py",
                'GATEWAY_NUMBERS = ("wechatpay_no", "alipay_no", "unionpay_no")\n',
                instead='GATEWAY_NUMBERS = ("wechatpay_no", "alipay_no")\n',
            ),
            Edit(
                "customs/declarations/channels.py",
                """    Channel.UNIONPAY: ChannelRow(
        name="UnionPay",
        chinese="银联",
        spellings=("unionpay", "银联"),
        needs=frozenset(),
        lacks=frozenset({"duty", "merchant_customs_name"}),
        ordered=False,
        has_modify=False,
        query_names_code=True,
        has_cool_down=False,
    ),
""",
                after="ROWS = {",
            ),
            Edit(
                OFFICES,
                """        Office(
            "HANGZHOU",
            "杭州",
            "Hangzhou",
            {WECHAT: ("HANGZHOU_ZS",), ALIPAY: ("HANGZHOU_ZONGSHU",), Channel.UNIONPAY: ("HANGZHOU_UP",)},
        ),
""",
                instead='        Office("HANGZHOU", "杭州", "Hangzhou", '
                '{WECHAT: ("HANGZHOU_ZS",), ALIPAY: ("HANGZHOU_ZONGSHU",)}),\n',
            ),
            Edit(
                "customs/web/labels.py",
                '        Channel.UNIONPAY: Label(_("UnionPay"), "bank", "plain"),\n',
                after="        Channel.ALIPAY: Label(",
            ),
            Edit(CHINESE, 'msgid "UnionPay"\nmsgstr "银联"\n\nmsgid "Alipay"\n', instead='msgid "Alipay"\n'),
            Edit(
                "customs/sandbox/channels.py",
                """UNIONPAY = Channel(
    name="unionpay",
    label=_("UnionPay"),
    bill_name="银联",
    sections=("9.7", "9.8", "9.9"),
    codes=("HANGZHOU_UP",),
    receipt="unionpay_no",
    split=(),
    same="SAME",
    different="DIFFERENT",
    unchecked=None,
    repush_corrects=True,
)

CHANNELS = {channel.name: channel for channel in (WECHATPAY, ALIPAY, UNIONPAY)}
""",
                instead="CHANNELS = {channel.name: channel for channel in (WECHATPAY, ALIPAY)}\n",
            ),
        ),
    ),
    Recipe(
        "a currency",
        2,
        (
            Edit("customs/gateway/money.py", '    "SGD": 2,\n', after='    "THB": 2,'),
            Edit(
                "customs/sandbox/values.py",
                '    "SGD": Currency(2, Decimal("5.0902")),\n',
                after='    "THB": Currency',
            ),
        ),
    ),
    Recipe(
        "a scenario of a declaration in the sandbox",
        2,
        (
            Edit(
                "customs/sandbox/declaration_scenarios.py",
                '    Scenario("ARCHIVED-LATE", _("archived late"), {Epoch.ADDED: (Step("ARCHIVED", None),)}),\n',
                after='    Scenario("FROZEN",',
            ),
            Edit(CHINESE, 'msgid "archived late"\nmsgstr "归档"\n\nmsgid "Alipay"\n', instead='msgid "Alipay"\n'),
        ),
    ),
    Recipe(
        "a language of the pages",
        2,
        (
            Edit(
                "customs/web/translations/de/LC_MESSAGES/messages.po",
                'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
                'msgid "Import"\nmsgstr "Importieren"\n\n'
                'msgid "Pick the customs office."\nmsgstr "Zollamt wählen."\n\n'
                'msgid "Notes"\nmsgstr "Hinweise"\n\n'
                'msgid "Faulty rows"\nmsgstr "Fehlerhafte Zeilen"\n\n'
                'msgid "This duty brings no luck."\nmsgstr "Dieser Zoll bringt kein Glück."\n',
            ),
            Edit(
                "customs/web/templates/docs/guide_de.html",
                '<article id="de" class="guide" lang="de"><h2>Anleitung</h2></article>\n',
            ),
        ),
    ),
)
