"""The codes of people: signing in, passwords, one-time codes, what an admin writes about somebody, their keys."""

from customs.web.error_catalog.entry import Entry, Words

PEOPLE = (
    Entry(
        "not_signed_in",
        Words(
            "Nobody is signed in any more: the session has ended.",
            "Load the page again, and sign in. What was sent before is not lost.",
        ),
        Words("登录已失效，请重新登录。", "请刷新页面后登录；之前已提交的内容不会丢失。"),
    ),
    Entry(
        "csrf_rejected",
        Words(
            "This did not come from a page of this desk, so nothing was done.",
            "Open the desk's own page and press the button there. If it happens there too, the proxy in front of the "
            "desk hands on another `Host` than the one in the address bar: ask whoever runs it.",
        ),
        Words(
            "该请求不是从本系统的页面发出的，因此没有执行。",
            "请打开本系统的页面，在页面上操作。如果仍然出现，说明前置代理转发的 `Host` 与浏览器地址栏中的不一致，"
            "请联系运维人员。",
        ),
    ),
    Entry(
        "invalid_credentials",
        Words(
            "This login and password do not fit, or whoever has them may not sign in.",
            "Type both again; if it fails still, ask an admin for a new password.",
        ),
        Words("登录名或密码不正确，或该用户已被停用。", "请重新输入；仍然失败时，请联系管理员重置密码。"),
    ),
    Entry(
        "login_throttled",
        Words(
            "Signing in failed too often under this login, or from this address.",
            "Wait as long as is told, then try again; an admin can set a new password meanwhile.",
        ),
        Words("该登录名或该网络地址登录失败次数过多。", "请按提示的时间等待后再试；也可以请管理员重置密码。"),
    ),
    Entry(
        "one_time_code_rejected",
        Words(
            "This one-time code is not the present one, or was used before.",
            "Wait until your phone shows the next code. If every code fails, set your phone's clock right.",
        ),
        Words("动态码不正确，或已经使用过。", "等手机显示下一个动态码后再输入；若一直失败，请校准手机时间。"),
    ),
    Entry(
        "code_set_up_already",
        Words(
            "One-time codes were set up already.",
            "Give one of them first, or ask an admin to take them away.",
        ),
        Words("已经设置过动态码。", "请先输入当前的动态码，或请管理员重置。"),
    ),
    Entry(
        "set_up_stale",
        Words("This QR code is not good any more.", "Open the page anew and scan the QR code that it shows."),
        Words("该二维码已失效。", "请重新打开页面，扫描新的二维码。"),
    ),
    Entry(
        "password_length",
        Words("The new password is too short or too long.", "Use 10 to 200 characters, such as several words."),
        Words("新密码太短或太长。", "请使用 10 到 200 个字符；几个词组成的短语容易记住。"),
    ),
    Entry(
        "password_like_name",
        Words("The new password is the login or the name.", "Choose another one."),
        Words("新密码与登录名或姓名相同。", "请换一个密码。"),
    ),
    Entry(
        "password_common",
        Words("The new password is among the first that anybody tries.", "Choose another one."),
        Words("新密码过于常见，容易被猜中。", "请换一个密码。"),
    ),
    Entry(
        "password_unchanged",
        Words("The new password is the present one.", "Choose another one."),
        Words("新密码与当前密码相同。", "请换一个密码。"),
    ),
    Entry(
        "password_wrong",
        Words("The present password is another one.", "Type it again; whoever forgot it asks an admin for a new one."),
        Words("当前密码不正确。", "请重新输入；忘记密码时请联系管理员重置。"),
    ),
    Entry(
        "login_invalid",
        Words("This cannot be a login.", "Use 3 to 64 characters of a-z 0-9 . _ - @"),
        Words("登录名格式不正确。", "请使用 3 到 64 个字符：a-z 0-9 . _ - @"),
    ),
    Entry(
        "login_taken",
        Words("Somebody has this login, or had it once.", "Choose another login."),
        Words("该登录名已被使用。", "请换一个登录名。"),
    ),
    Entry(
        "person_name_invalid",
        Words("This cannot be a name.", "Use 1 to 100 characters that can be seen."),
        Words("姓名格式不正确。", "请输入 1 到 100 个可见字符。"),
    ),
    Entry(
        "merchants_invalid",
        Words(
            "No merchant is named, or one that cannot be.",
            "Name one merchant number or more, or let this person work for all of them.",
        ),
        Words("没有填写商户号，或商户号格式不正确。", "请填写一个或多个商户号，或选择全部商户。"),
    ),
    Entry(
        "last_admin",
        Words(
            "Somebody has to look after the others, and this is the last admin.",
            "Make another person an admin first.",
        ),
        Words("这是最后一位管理员，系统必须保留至少一位。", "请先将另一位用户设为管理员。"),
    ),
    Entry(
        "scopes_missing",
        Words("This key may do nothing.", "Choose at least one scope for it."),
        Words("没有为密钥选择权限。", "请至少选择一项权限。"),
    ),
)
