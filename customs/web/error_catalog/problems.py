"""The codes of problems as a whole: the classes in `customs.errors`, and what the renderer says by itself."""

from customs.web.error_catalog.entry import Entry, Words

PROBLEMS = (
    Entry(
        "malformed_request",
        Words(
            "The body is not JSON, or not JSON as it should be: another content type, no UTF-8, a key named twice, "
            "NaN, or too deep.",
            "Send UTF-8 JSON with `Content-Type: application/json`; `detail` says at which character reading ended.",
        ),
        Words(
            "请求体不是合法的 JSON：类型不对、不是 UTF-8、同一个键出现两次、含 NaN 或嵌套过深。",
            "以 UTF-8 发送 JSON，并带上 `Content-Type: application/json`；`detail` 会指出出错的位置。",
        ),
    ),
    Entry(
        "bad_request",
        Words("The request itself is broken.", "Look at what your HTTP client really sends; then send it again."),
        Words("HTTP 请求本身不完整或不合法。", "检查 HTTP 客户端实际发出的内容，然后重发。"),
    ),
    Entry(
        "api_key_missing",
        Words("No API key came with the call.", "Send `Authorization: Bearer <key>`."),
        Words("请求没有带 API 密钥。", "加上请求头 `Authorization: Bearer <key>`。"),
    ),
    Entry(
        "api_key_invalid",
        Words(
            "This key is unknown, expired or revoked, or belongs to another deployment.",
            "Check that all of it was copied; else ask the desk for a new one: `customs api-key create`.",
        ),
        Words(
            "密钥不存在、已过期、已作废，或属于另一套环境。",
            "确认密钥复制完整；否则请管理员重新签发：`customs api-key create`。",
        ),
    ),
    Entry(
        "insufficient_scope",
        Words("The key is good and may not do this.", "Ask for a key with the scope that `detail` names."),
        Words("密钥有效，但没有这项权限。", "申请带有 `detail` 所述权限（scope）的密钥。"),
    ),
    Entry(
        "not_found",
        Words(
            "There is nothing under this address that this key may see; what belongs to another merchant is not told.",
            "Check the id, and that the key is for its merchant.",
        ),
        Words(
            "该地址下没有此密钥可见的内容；属于其他商户的数据同样返回 404。",
            "核对 id，并确认密钥属于对应商户。",
        ),
    ),
    Entry(
        "method_not_allowed",
        Words("This address does not take this method.", "Use one of the methods in the `Allow` header."),
        Words("该地址不支持这种 HTTP 方法。", "使用响应头 `Allow` 中列出的方法。"),
    ),
    Entry(
        "action_not_allowed",
        Words(
            "A rule does not allow this now, and nothing was changed. `errors` names the rule for each push.",
            "Do what the rule's page says; with `not_before`, try again after it.",
        ),
        Words(
            "当前规则不允许此操作，未作任何更改。`errors` 列出每次推送违反的规则。",
            "按该规则页面的说明处理；若给出 `not_before`，到时再试。",
        ),
    ),
    Entry(
        "concurrent_update",
        Words(
            "Another request is changing the same things at this moment.",
            "Send the same again after `Retry-After` seconds, with the same Idempotency-Key.",
        ),
        Words("另一个请求正在修改同样的数据。", "等待 `Retry-After` 秒后，用相同的 Idempotency-Key 重发。"),
    ),
    Entry(
        "payload_too_large",
        Words("The body is larger than what is accepted.", "Split the batch: 10,000 declarations or 32 MiB at most."),
        Words("请求体过大。", "拆分批次：最多 10,000 条申报单或 32 MiB。"),
    ),
    Entry(
        "unsupported_encoding",
        Words("The body is compressed in a way that is not known here.", "Send it as gzip, or as it is."),
        Words("请求体的压缩方式不受支持。", "用 gzip 压缩，或不压缩。"),
    ),
    Entry(
        "rate_limited",
        Words(
            "This key asks more often than it may.",
            "Wait `Retry-After` seconds; poll lists instead of each declaration, or listen to webhooks.",
        ),
        Words("该密钥的请求过于频繁。", "等待 `Retry-After` 秒；用列表代替逐条查询，或使用 webhook。"),
    ),
    Entry(
        "validation_failed",
        Words(
            "The request was understood and is not valid. `errors` points to each place.",
            "Correct every place; each has a code with a page of its own.",
        ),
        Words("请求可以读懂，但内容不合法。`errors` 指出每一处。", "逐处更正；每个 code 都有自己的说明页。"),
    ),
    Entry(
        "rejected",
        Words(
            "The batch has rows with errors, and nothing was stored.",
            'Correct the rows in `errors`, or send `"on_error": "accept_valid"` to have the good ones taken.',
        ),
        Words(
            "批次中有错误的行，什么都没有保存。",
            '更正 `errors` 所列的行；或发送 `"on_error": "accept_valid"`，只接收正确的行。',
        ),
    ),
    Entry(
        "idempotency_key_in_use",
        Words(
            "The first request with this Idempotency-Key is still running.",
            "Send the same again after `Retry-After` seconds: you get the first one's answer.",
        ),
        Words("带有此 Idempotency-Key 的第一个请求仍在处理。", "等待 `Retry-After` 秒后重发，会得到同一结果。"),
    ),
    Entry(
        "idempotency_key_reused",
        Words(
            "This Idempotency-Key came with another request before.",
            "Use a new key for a new request; repeat a request with exactly the same body.",
        ),
        Words(
            "这个 Idempotency-Key 以前用于另一个请求。",
            "新的请求使用新的键；重发时请求体必须完全相同。",
        ),
    ),
    Entry(
        "file_unreadable",
        Words(
            "The file is not what it says, or cannot be read as CSV, XLSX or JSON.",
            "Save it again as CSV or XLSX; `detail` names the row where reading ended.",
        ),
        Words(
            "文件格式与声称的不符，或无法按 CSV、XLSX、JSON 读取。", "重新另存为 CSV 或 XLSX；`detail` 指出出错的行。"
        ),
    ),
    Entry(
        "internal_error",
        Words("Something went wrong on our side; it was logged.", "Report the `request_id` to whoever runs the desk."),
        Words("服务内部出错，已记入日志。", "把 `request_id` 告诉系统管理员。"),
    ),
    Entry(
        "misconfigured",
        Words("The environment of the desk lacks a setting.", "Whoever runs the desk: call `customs doctor`."),
        Words("系统缺少必要的配置。", "请管理员运行 `customs doctor`。"),
    ),
    Entry(
        "decryption_key_missing",
        Words(
            "A name or ID number was encrypted with a key that this desk does not have.",
            "Whoever runs the desk: put the older key back into CUSTOMS_PII_KEYS.",
        ),
        Words("姓名或身份证号由当前未配置的密钥加密。", "请管理员把旧密钥加回 CUSTOMS_PII_KEYS。"),
    ),
    Entry(
        "database_unavailable",
        Words("The database cannot be used now.", "Send the same again after `Retry-After` seconds."),
        Words("数据库暂时无法使用。", "等待 `Retry-After` 秒后重发同一请求。"),
    ),
    Entry(
        "gateway_unavailable",
        Words("The gateway did not answer.", "Send the same again after `Retry-After` seconds."),
        Words("网关没有应答。", "等待 `Retry-After` 秒后重发同一请求。"),
    ),
)
