"""The codes of spreadsheets: what happened to a cell, a row or a column."""

from customs.web.error_catalog.entry import Entry, Words

FILES = (
    Entry(
        "number_cell",
        Words(
            "A warning: the cell is stored as a number, so zeros at its front may be lost.",
            "Compare with the source; format the column as text.",
        ),
        Words("提醒：单元格为数字格式，前面的零可能丢失。", "与原始数据核对；把该列设为文本格式。"),
    ),
    Entry(
        "digits_lost",
        Words(
            "The spreadsheet has rounded the number: digits are lost.",
            "Format the column as text, then enter the value again from its source.",
        ),
        Words("表格软件把数字四舍五入，位数已丢失。", "把该列设为文本格式，再从原始数据重新录入。"),
    ),
    Entry(
        "digits_doubtful",
        Words(
            "A warning: all digits after the 15th are 0, as a spreadsheet leaves them when it rounds.",
            "Compare with the source.",
        ),
        Words("提醒：第 15 位以后全是 0，像是被表格软件截断。", "与原始数据核对。"),
    ),
    Entry(
        "boolean_cell",
        Words("The cell holds TRUE or FALSE, not text.", "Format the column as text and enter the value again."),
        Words("单元格是 TRUE 或 FALSE，不是文本。", "把该列设为文本格式后重新录入。"),
    ),
    Entry(
        "date_cell",
        Words("The spreadsheet has made a date of it.", "Format the column as text and enter the value again."),
        Words("表格软件把它变成了日期。", "把该列设为文本格式后重新录入。"),
    ),
    Entry(
        "formula_error",
        Words("The cell's formula ends in an error.", "Mend the formula, or paste the value in its place."),
        Words("单元格公式出错。", "修正公式，或粘贴为数值。"),
    ),
    Entry(
        "formula_uncalculated",
        Words(
            "The cell's formula was never calculated, so the file holds no value.",
            "Open and save the file in a spreadsheet program, or paste the value.",
        ),
        Words("单元格公式从未计算，文件中没有值。", "用表格软件打开并保存，或粘贴为数值。"),
    ),
    Entry(
        "cell_without_header",
        Words("A cell stands under no header.", "Clear it or name its column; in CSV, quote values that hold a comma."),
        Words("单元格所在列没有表头。", "清空它或补上表头；CSV 中含逗号的值要加引号。"),
    ),
    Entry(
        "rows_differ",
        Words(
            "Rows of one order contradict each other.",
            "Make the cells equal, leave this one blank, or give the row its own order number.",
        ),
        Words("同一订单的各行内容不一致。", "改为一致、留空，或使用单独的订单号。"),
    ),
    Entry(
        "row_repeated",
        Words(
            "A row says nothing that the first row of its order does not say.",
            "Delete it; if the order is split, give each row its sub-order number.",
        ),
        Words("该行与同一订单的第一行重复。", "删除它；若为拆单，每行填写子订单号。"),
    ),
    Entry(
        "sub_order_missing",
        Words("The order is split, but this row names no sub-order.", "Give the row its number and amounts."),
        Words("订单为拆单，但该行没有子订单号。", "补上子订单号和金额，或删除该行。"),
    ),
    Entry(
        "column_unknown",
        Words("No column has this name.", "Delete the column, or spell it as one that `action` lists."),
        Words("没有这个列名。", "删除该列，或改为 `action` 所列的列名。"),
    ),
    Entry(
        "registration_columns",
        Words(
            "The file has columns that do not belong to registrations.",
            "Keep merchant_no, channel, office, mch_customs_no and merchant_customs_name.",
        ),
        Words("文件中有不属于备案信息的列。", "只保留商户号、支付渠道、海关、商户海关备案号、商户海关备案名称。"),
    ),
    Entry(
        "sheet_left_out",
        Words("A warning: only the first sheet is read.", "Put all rows on the first sheet."),
        Words("提醒：只读取第一个工作表。", "把所有行放在第一个工作表。"),
    ),
)
