"""The codes of importing: why a file is not taken at all, and what may not be done with a draft."""

from customs.web.error_catalog.entry import Entry, Words

IMPORTS = (
    Entry(
        "nothing_chosen",
        Words("Neither a file nor rows came.", "Choose a file, or paste rows."),
        Words("没有收到文件或数据。", "请选择文件，或粘贴数据。"),
    ),
    Entry(
        "file_empty",
        Words("The file is empty.", "Name the columns in its first row and put an order in each row below."),
        Words("文件是空的。", "第一行填写列名，下面每行一个订单。"),
    ),
    Entry(
        "file_without_rows",
        Words("The file has a header and no rows.", "Put an order in each row below the header."),
        Words("文件只有表头，没有数据行。", "在表头下面每行填写一个订单。"),
    ),
    Entry(
        "file_too_large",
        Words("The file is larger than 20 MiB.", "Split it into several."),
        Words("文件超过 20 MiB。", "请拆分成多个文件。"),
    ),
    Entry(
        "file_protected",
        Words("The workbook is protected by a password.", "Remove the password and save it again."),
        Words("工作簿设有密码。", "请去掉密码后重新保存。"),
    ),
    Entry(
        "file_of_another_kind",
        Words(
            "The file is neither CSV nor an Excel workbook (.xlsx); old .xls files, PDF and web pages are not read.",
            "Save it as an Excel workbook (.xlsx) or as CSV.",
        ),
        Words(
            "文件不是 CSV，也不是 Excel 工作簿（.xlsx）；旧版 .xls、PDF 和网页无法读取。",
            "请另存为 Excel 工作簿（.xlsx）或 CSV。",
        ),
    ),
    Entry(
        "file_misnamed",
        Words("The file is not what the end of its name says.", "Name it as what it is, or save it anew."),
        Words("文件内容与扩展名不符。", "请改为正确的扩展名，或重新另存。"),
    ),
    Entry(
        "encoding_unknown",
        Words("The file is neither UTF-8 nor GB18030 text.", "Save it as “CSV UTF-8” or as a workbook (.xlsx)."),
        Words("文件既不是 UTF-8 也不是 GB18030 编码。", "请另存为“CSV UTF-8”或 Excel 工作簿（.xlsx）。"),
    ),
    Entry(
        "encoding_mixed",
        Words(
            "A part of the file is UTF-8 and a part is not: two files were joined, or some of it is damaged.",
            "Send each as a file of its own, or save all of it as “CSV UTF-8”.",
        ),
        Words(
            "文件中混有 UTF-8 和其他编码：由两个文件拼接而成，或部分内容已损坏。",
            "请分开导入，或统一另存为“CSV UTF-8”。",
        ),
    ),
    Entry(
        "encoding_doubtful",
        Words(
            "The file is more likely Big5 or Shift-JIS than GB18030, so its names would become other people's.",
            "Save it as “CSV UTF-8” or as a workbook (.xlsx).",
        ),
        Words(
            "文件很可能是 Big5 或 Shift-JIS 编码，按 GB18030 读取会使姓名变成别的字。",
            "请另存为“CSV UTF-8”或 Excel 工作簿（.xlsx）。",
        ),
    ),
    Entry(
        "file_not_text",
        Words("The file is not text.", "Save it as an Excel workbook (.xlsx) or as CSV."),
        Words("文件不是文本。", "请另存为 Excel 工作簿（.xlsx）或 CSV。"),
    ),
    Entry(
        "csv_broken",
        Words(
            "The text is not well-formed CSV.",
            "Put quotes around values that hold a comma, a quote or a line break, and double the quotes inside.",
        ),
        Words("CSV 格式有误。", "含逗号、引号或换行的值要加引号，值内的引号要写两次。"),
    ),
    Entry(
        "line_too_long",
        Words("A line is longer than any row of declarations.", "Save it as an Excel workbook (.xlsx) or as CSV."),
        Words("某一行过长，不像申报数据。", "请另存为 Excel 工作簿（.xlsx）或 CSV。"),
    ),
    Entry(
        "workbook_damaged",
        Words(
            "The workbook is damaged, or holds far more than a batch can need.",
            "Copy its rows into a new workbook and send that.",
        ),
        Words("工作簿已损坏，或内容远超一个批次。", "请把数据复制到新的工作簿再上传。"),
    ),
    Entry(
        "workbook_refused",
        Words(
            "The workbook is of a kind that is not read: with macros, binary, of another program, or without a sheet.",
            "Save it as a plain Excel workbook (.xlsx) or as CSV.",
        ),
        Words(
            "无法读取这种工作簿：含宏、二进制格式、其他软件的格式，或没有可见的工作表。",
            "请另存为普通的 Excel 工作簿（.xlsx）或 CSV。",
        ),
    ),
    Entry(
        "row_too_wide",
        Words("A row has far too many columns.", "Keep the columns of a declaration only."),
        Words("某一行的列数过多。", "只保留申报所需的列。"),
    ),
    Entry(
        "too_many_rows",
        Words("The file has more than 50,000 rows.", "Split it into several."),
        Words("文件超过 50,000 行。", "请拆分成多个文件。"),
    ),
    Entry(
        "too_many_declarations",
        Words("The file holds more than 10,000 declarations.", "Split it into several."),
        Words("文件中的申报单超过 10,000 条。", "请拆分成多个文件。"),
    ),
    Entry(
        "columns_missing",
        Words(
            "The first row does not name every column that is needed.",
            "Start from the template, or name them: channel, office, merchant_no, out_order_no, payment_no.",
        ),
        Words(
            "第一行缺少必需的列名。",
            "请使用模板，或补上列名：支付渠道、海关、商户号、商户订单号、支付单号。",
        ),
    ),
    Entry(
        "column_twice",
        Words("The header names one column twice.", "Keep the one that is meant."),
        Words("表头中同一列出现了两次。", "请只保留正确的一列。"),
    ),
    Entry(
        "column_missing",
        Words("No column of the file has this name.", "Say which column of the file it is, or add it."),
        Words("文件中没有这一列。", "请指定它对应文件中的哪一列，或补上这一列。"),
    ),
    Entry(
        "column_taken",
        Words("The file already has this column.", "Leave one of the two out."),
        Words("文件中已有这一列。", "请去掉其中一列。"),
    ),
    Entry(
        "cell_unmended",
        Words("What a spreadsheet has spoilt here is not mended yet.", "Enter the value again from its source."),
        Words("此单元格的值已被表格软件损坏，尚未修正。", "请从原始数据重新录入。"),
    ),
    Entry(
        "draft_changed",
        Words("The draft was changed in another window.", "Look at it again, then repeat what you meant to do."),
        Words("草稿已在另一个窗口中被修改。", "请查看最新内容后再操作。"),
    ),
    Entry(
        "nothing_new",
        Words(
            "Everything valid in this draft was submitted before, unchanged.",
            "Look at the batch it came with. Delete this draft, or fix the rows that are left.",
        ),
        Words("此草稿中校验通过的行都已提交过，内容未变。", "请查看原批次；可放弃此草稿，或修改其余的行。"),
    ),
    Entry(
        "rows_not_open",
        Words(
            "None of these rows is open any more: they were submitted, or somebody discarded them.",
            "Look at the batch again.",
        ),
        Words("所选的行已提交或已被放弃。", "请刷新批次页面查看。"),
    ),
    Entry(
        "draft_submitted",
        Words("All rows of this draft were submitted before.", "Look at its batch."),
        Words("此草稿的所有行都已提交。", "请查看对应的批次。"),
    ),
    Entry(
        "edited_row_faulty",
        Words(
            "What was typed is kept, but a row that was edited just now is still wrong.",
            "Correct it, or submit again: then the other rows go out and it stays here.",
        ),
        Words("录入内容已保存，但刚修改的行仍未通过校验。", "请改正；若再次提交，则只提交其余行，该行留在这里。"),
    ),
    Entry(
        "nothing_to_undo",
        Words("There is nothing left to undo.", "Look at the rows as they are."),
        Words("没有可撤销的修改。", "请查看各行的最新内容。"),
    ),
)
