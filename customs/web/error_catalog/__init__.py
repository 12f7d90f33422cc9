"""Every code that an answer may hold, with what it means and what to do, in English and Chinese: one row each."""

from customs.web.error_catalog.actions import ACTIONS
from customs.web.error_catalog.entry import Entry
from customs.web.error_catalog.files import FILES
from customs.web.error_catalog.imports import IMPORTS
from customs.web.error_catalog.orders import ORDERS
from customs.web.error_catalog.payments import PAYMENTS
from customs.web.error_catalog.problems import PROBLEMS
from customs.web.error_catalog.texts import TEXTS
from customs.web.error_catalog.users import PEOPLE
from customs.web.error_catalog.validation import SHAPES
from customs.web.error_catalog.webhooks import WEBHOOKS

# By what they are about, in the order of the page that lists them.
GROUPS: dict[tuple[str, str], tuple[Entry, ...]] = {
    ("The answer as a whole (code)", "整个响应（code）"): PROBLEMS,
    ("The form of a body or a query (errors[].code)", "请求的格式（errors[].code）"): SHAPES,
    ("What is wrong with an order (errors[] and findings)", "订单内容（errors[] 与 findings）"): ORDERS,
    (
        "What no card and no number holds (errors[] and findings)",
        "无效的姓名与单号（errors[] 与 findings）",
    ): TEXTS,
    ("What may not be done with a declaration now (errors[].code)", "申报单暂时不允许的操作（errors[].code）"): ACTIONS,
    ("Payments and refunds (errors[].code)", "支付与退款（errors[].code）"): PAYMENTS,
    ("Webhook endpoints (errors[].code)", "Webhook 接收地址（errors[].code）"): WEBHOOKS,
    ("People who sign in (code and errors[].code)", "登录与用户（code 与 errors[].code）"): PEOPLE,
    ("Spreadsheets (findings)", "表格文件（findings）"): FILES,
    ("Importing a file (errors[].code and findings)", "导入文件（errors[].code 与 findings）"): IMPORTS,
}
BY_CODE: dict[str, Entry] = {entry.code: entry for entries in GROUPS.values() for entry in entries}

__all__ = ["BY_CODE", "GROUPS", "Entry"]
