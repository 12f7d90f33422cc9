"""The codes of what no card, number or registration holds: `customs/text_rules/rules.py` in words."""

from customs.web.error_catalog.entry import Entry, Words

TEXTS = (
    Entry(
        "placeholder",
        Words(
            "This is a word or a sign that stands for nothing, such as NULL, a dash or 0.",
            "Enter it from its source; leave out what there is not.",
        ),
        Words("这是占位内容（如 NULL、-、无、0），不是真实的值。", "请按原始数据填写；没有该值则留空。"),
    ),
    Entry(
        "masked",
        Words("A part of this is masked.", "Export it unmasked, or ask whoever has the whole of it."),
        Words("内容经过脱敏，部分字符被遮盖。", "请导出未脱敏的数据，或向对方索取完整内容。"),
    ),
    Entry(
        "encrypted",
        Words(
            "This is the cipher that a marketplace gives out in the place of a name.",
            "Export the orders decrypted, or ask the buyer.",
        ),
        Words("这是平台的加密串，不是姓名。", "请在平台解密后重新导出，或向订购人确认。"),
    ),
    Entry(
        "characters_lost",
        Words(
            "Characters were lost on the way: a question mark, a box or a code stands in their place.",
            "Enter it from its source; export the file as UTF-8.",
        ),
        Words("有字符丢失，变成了问号、方框或转义代码。", "请按原始数据填写；导出文件时选择 UTF-8 编码。"),
    ),
    Entry(
        "wrongly_decoded",
        Words(
            "This was read in the wrong encoding before it came here, so it is other characters.",
            "Enter it from its source; export the file as UTF-8.",
        ),
        Words("内容是乱码：此前用错误的编码打开过，已变成其他字。", "请按原始数据填写；导出文件时选择 UTF-8 编码。"),
    ),
    Entry(
        "invisible",
        Words("The text holds a character that shows nothing.", "Type it anew instead of copying it."),
        Words("文本含有不可见字符。", "重新键入，不要直接复制。"),
    ),
    Entry(
        "phone_in_name",
        Words("A phone number stands in the name.", "Write the name as the ID card has it."),
        Words("姓名中含有电话号码。", "请与身份证姓名保持一致。"),
    ),
    Entry(
        "title_in_name",
        Words("A title stands in the name, such as Mr or 先生.", "Write the name as the ID card has it."),
        Words("姓名中含有称谓（如先生、女士）。", "请与身份证姓名保持一致。"),
    ),
    Entry(
        "digits_in_name",
        Words("A digit stands in a Chinese name.", "Write the name as the ID card has it."),
        Words("姓名中含有数字。", "请与身份证姓名保持一致。"),
    ),
    Entry(
        "scripts_mixed",
        Words("Letters of two alphabets stand in one name.", "Write the name as the ID card has it."),
        Words("姓名中混用了不同文字。", "请与身份证姓名保持一致。"),
    ),
    Entry(
        "foreign_letter",
        Words(
            "A letter of another alphabet stands here that only looks right.",
            "Type digits, and letters as Latin ones.",
        ),
        Words("含有外文字母，只是形状相似。", "请在英文输入法下重新键入数字或字母。"),
    ),
    Entry(
        "registration_invalid",
        Words("A customs number has letters and digits, and no blanks in it.", "Enter it from its source."),
        Words("商户海关备案号只能含半角字母和数字，不能有空格或汉字。", "请按备案资料填写。"),
    ),
    Entry(
        "wrong_dot",
        Words(
            "A warning: between the parts of the name stands another sign than the middle dot.",
            "Write “·” (U+00B7), if that is how the ID card has it.",
        ),
        Words("提醒：姓名间隔号不规范。", "如身份证上为间隔号，请改为“·”（U+00B7）。"),
    ),
    Entry(
        "blank_inside",
        Words(
            "A warning: a blank stands where names have none.",
            "Take it out; between the parts of a name write “·” (U+00B7), in a foreign name one plain space.",
        ),
        Words("提醒：姓名中有空格。", "请去掉空格；少数民族姓名用“·”（U+00B7）间隔，外文姓名用一个半角空格。"),
    ),
    Entry(
        "look_alike",
        Words(
            "A warning: a character only looks like the one that is meant: a radical, a compatibility or wide form.",
            "Write the common one.",
        ),
        Words("提醒：含有形近的特殊字符（部首、兼容字或全角字母）。", "请改为常用字符。"),
    ),
    Entry(
        "not_composed",
        Words(
            "A warning: a letter and its accent are two characters here.",
            "Write each letter with its accent as one character (Unicode NFC).",
        ),
        Words("提醒：字母与其附加符号被拆成了两个字符。", "请用单个带符号的字母（Unicode NFC）。"),
    ),
    Entry(
        "name_unusual",
        Words("A warning: the name holds a sign that hardly any ID card has.", "Compare it with the ID card."),
        Words("提醒：姓名中有身份证上少见的符号。", "请与身份证核对。"),
    ),
)
