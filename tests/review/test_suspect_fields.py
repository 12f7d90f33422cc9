"""Which field an explanation speaks of, in either language; and none where it does not say."""

import pytest

from customs.declarations.cases import CaseKind
from customs.review.evidence import BY_KIND, EXPLAINED, FIELDS, suspect_fields


@pytest.mark.parametrize(
    ("explanation", "fields"),
    [
        ("商户海关备案号不正确", {"mch_customs_no"}),
        ("备案名称与海关登记不一致", {"merchant_customs_name"}),
        ("备案名称正确, 备案号错误", {"merchant_customs_name", "mch_customs_no"}),
        ("该企业未备案", {"mch_customs_no", "merchant_customs_name"}),
        ("registration number unknown", {"mch_customs_no"}),
        ("订购人身份证号格式错误", {"cert_id", "name"}),
        ("证件号码有误", {"cert_id"}),
        ("姓名不符", {"name"}),
        ("the buyer is not the payer", {"name", "cert_id"}),
        ("拆单金额之和大于支付金额", {"sub_order_amount", "transport_amount", "product_amount"}),
        ("amounts differ", {"sub_order_amount", "transport_amount", "product_amount"}),
        ("运费错误", {"transport_amount"}),
        ("freight is wrong", {"transport_amount"}),
        ("关税不符", {"duty"}),
        ("订单不存在", {"out_order_no", "payment_no"}),
        ('{"wx_message": "?", "wx_code": "ORDERNOTEXIST"}', {"out_order_no", "payment_no"}),
        ("子订单号重复", {"sub_order_no"}),
        ("支付单号不存在", {"payment_no"}),
        ("海关代码无效", {"customs"}),
        ("海关返回:申报信息有误,请更正后重新申报", set()),
        ("system error", set()),
        ("border", set()),
        ("", set()),
    ],
)
def test_the_words_of_an_explanation_name_its_fields(explanation: str, fields: set[str]):
    assert suspect_fields(CaseKind.FAIL, explanation, FIELDS) == fields


def test_only_fields_that_were_sent_are_suspect():
    assert suspect_fields(CaseKind.FAIL, "该企业未备案", ["mch_customs_no", "duty"]) == {"mch_customs_no"}


def test_a_mismatch_is_about_the_buyer_whatever_the_explanation():
    assert suspect_fields(CaseKind.IDENTITY, "the order's buyer is not the payer", FIELDS) == {"name", "cert_id"}


def test_explanations_of_the_desk_are_not_searched_for_fields():
    own = [error for error in CaseKind if error not in EXPLAINED and error not in BY_KIND]

    assert all(suspect_fields(error, "its payment of this order was refunded", FIELDS) == set() for error in own)
