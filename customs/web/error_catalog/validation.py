"""The codes of a body's or a query's form: what the fields of the schemas say."""

from customs.web.error_catalog.entry import Entry, Words

SHAPES = (
    Entry(
        "required",
        Words("A field is missing that must be there.", "Add it."),
        Words("缺少必填字段。", "补上该字段。"),
    ),
    Entry(
        "null",
        Words("A field is null.", "Leave a field out when there is no value."),
        Words("字段为 null。", "没有值时请省略该字段。"),
    ),
    Entry(
        "not_text",
        Words("This is not text.", 'Write it as a JSON string: `"..."`.'),
        Words("这里应为文本。", '写成 JSON 字符串：`"..."`。'),
    ),
    Entry(
        "not_object",
        Words("This is not an object.", "Write it as a JSON object: `{...}`."),
        Words("这里应为对象。", "写成 JSON 对象：`{...}`。"),
    ),
    Entry(
        "not_list",
        Words("This is not a list.", "Write it as a JSON list: `[...]`."),
        Words("这里应为数组。", "写成 JSON 数组：`[...]`。"),
    ),
    Entry(
        "not_boolean",
        Words("This is not true or false.", "Write `true` or `false`, without quotes; no number stands for them."),
        Words("这里应为 true 或 false。", "写 `true` 或 `false`，不加引号，也不能用数字代替。"),
    ),
    Entry(
        "unknown_field",
        Words("Nobody reads this field; a misspelt one must not vanish.", "Remove it, or correct its spelling."),
        Words("没有这个字段；拼错的字段不能被悄悄忽略。", "删除它，或更正拼写。"),
    ),
    Entry(
        "parameter_invalid",
        Words("A parameter of the query is unknown or has no such value.", "`detail` says what may be used."),
        Words("查询参数不存在或取值不对。", "按 `detail` 所列的取值填写。"),
    ),
    Entry(
        "choice",
        Words("This is not one of the choices.", "Use one of those that `detail` or the API's page lists."),
        Words("取值不在允许范围内。", "使用 `detail` 或接口文档所列的取值。"),
    ),
    Entry(
        "length",
        Words("A text or a list is too short or too long.", "Keep within the length that `detail` says."),
        Words("文本或数组过短或过长。", "保持在 `detail` 所述的长度内。"),
    ),
    Entry(
        "blanks",
        Words("A text begins or ends with a blank.", "Remove the blanks around it."),
        Words("文本首尾有空白。", "去掉首尾的空白。"),
    ),
    Entry(
        "unprintable",
        Words("A text holds a character that nobody can see.", "Type it anew instead of copying it."),
        Words("文本含有不可见字符。", "重新键入，不要直接复制。"),
    ),
    Entry(
        "amount_is_number",
        Words(
            "An amount came as a JSON number, which passes through binary floats.",
            'Write it as text: `"46.44"`.',
        ),
        Words("金额写成了 JSON 数字，会有浮点误差。", '写成文本：`"46.44"`。'),
    ),
    Entry(
        "amount_invalid",
        Words("This is not an amount.", "Use digits with at most two places, such as `46.44`, without sign or comma."),
        Words("不是合法的金额。", "用最多两位小数的数字，如 `46.44`，不带正负号和逗号。"),
    ),
    Entry(
        "duty_invalid",
        Words("Duty is a whole number of zero or more.", "Write it as a JSON integer: `88`, without quotes."),
        Words("关税应为非负整数。", "写成 JSON 整数：`88`，不加引号。"),
    ),
    Entry(
        "batch_size",
        Words("A batch holds 1 to 10,000 declarations.", "Split the batch."),
        Words("一个批次为 1 至 10,000 条申报单。", "拆分批次。"),
    ),
)
