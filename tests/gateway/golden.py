"""The document's replies, typed from it section by section: only what is no JSON was mended, every spelling is kept.

Placeholders that contradict each other within one reply (`xxxx`, `20170731xxxx`) became one number each.
"""

import json

META = '"meta": {"status_code": 200, "message": "请求成功", "success": true}'


def beside_meta(content: str) -> str:
    return "{" + META + ", " + content + "}"


ALIPAY_URL = (
    "https://mapi.alipay.com/gateway.do?_input_charset=UTF-8&body=for+test&currency=HKD"
    "&out_trade_no=2018020810241642236276717&partner=2088021966645500&payment_inst=ALIPAYCN"
    "&product_code=NEW_WAP_OVERSEAS_SELLER&qr_pay_mode=4&qrcode_width=200&service=create_forex_trade"
    "&subject=wisecasheir+test&total_fee=0.10&sign=X0UzNA4Ygd%2FY5jLL9Dm8069pMUaWTAOiGwY1N1ihdSxjb6uKFu970y7Z8SI"
    "%2FptovMYanGRhgbzAMjBNsVCSNQGZSgSsBJf%2BI9GPmsNydLwXP2rGzFiMA0hUnL9uj25AASrNYtsVF%2Be%2BeZuafJwXbEj%2BK"
    "%2FHo8KoUA%2F0eay4DvQ8g%3D&sign_type=RSA"
)
PREPAY_STRING = (
    '_input_charset="utf-8"&body="fortest"&currency="HKD"&forex_biz="FP"&out_trade_no="2018022322365133840xxxx74"'
    '&partner="208882182xxxx743"&payment_type="1"&seller_id="208882182xxxx743"&service="mobile.securitypay.pay"'
    '&subject="wisecasheirtest"&total_fee="0.10"&sign="Dld8ki9s26LB6s0UgJpX6ItU7AR5SAIcoCTbSxcl34Ka1mvrtRPZNyLfi"'
    '&sign_type="RSA"'
)

# 4.1 describes its reply by the page that reads it: r.data.js_param, handed to getBrandWCPayRequest as it is.
JS_PARAM = """{"appId": "wx247c9d9d6191b108", "timeStamp": "1509692687", "nonceStr": "casd135Defg",
    "package": "prepay_id=wc1312341312312", "signType": "MD5", "paySign": "55511808baf7f301b5270d7334a4cec0"}"""
MP_PAY_4_1 = beside_meta('"data": {"js_param": ' + JS_PARAM + "}")

SCAN_PAY_4_2 = """{
  "data": {
    "order": {
      "agent_order_id": "xxxx",
      "amount": "100",
      "currency": "HKD",
      "exchange_rate": "0.8789",
      "ip": "102.142.32.12",
      "merchant_no": "xxx",
      "no": "2017062313070231980966651",
      "product_info": "这里是商品的描述",
      "pay_amount": "0.1",
      "status": "PAID",
      "settle_rate": "1",
      "trade_type": "MICRO"
    }
  },
  "meta": {"message": "请求成功", "status_code": 200, "success": true}
}"""

SCANNED_PAY_4_3 = """{
    "meta": {"status_code": 200, "message": "请求成功", "success": true},
    "data": {
        "code_url": "weixin://wxpay/bizpayurl?pr=3CaDEKX",
        "order": {
            "status": "INIT",
            "trade_type": "NATIVE",
            "no": "2017062312381442716795237",
            "ip": "102.142.32.12",
            "currency": "HKD",
            "amount": "100",
            "merchant_no": "xxx",
            "agent_order_id": "xxxx",
            "pay_amount": "0.1",
            "settle_rate": "0.1",
            "trade_time": "xxxxx",
            "product_info": "这是一个商品的名称",
            "exchange_rate": "0.8789"
        }
    }
}"""

OPENID_4_4 = beside_meta('"data": {"openid": "kxc13i13J123"}')

MINI_PROGRAM_PAY_4_4 = """{
    "meta": {"status_code": 200, "message": "请求成功", "success": true},
    "data": {
        "timeStamp": "1509692687",
        "prepay_id": "wc1312341312312",
        "nonceStr": "casd135Defg",
        "paySign": "55511808baf7f301b5270d7334a4cec0",
        "order_no": "2017062317201074212938080"
    }
}"""

APP_PAY_4_5 = """{
  "data": {
    "appid": "wx247c9d9d6191b108",
    "nonceStr": "718493141562",
    "order_no": "2018061311325825321166783",
    "packageValue": "Sign=WXPay",
    "partnerId": "41391056",
    "prepayId": "wx131132587279817e5df5a42a2456209955",
    "sign": "46150629E5B2AC8EB4CDB160D38DAA6C",
    "timeStamp": "1528860778"
  },
  "meta": {"message": "Requset Successes", "status_code": 200, "success": true}
}"""

REFUND_4_8 = """{
  "data": {
    "refund": {
      "no": "2017062313110444111557843",
      "order_no": "2017062313070231980966651",
      "outer_refund_no": "2017062313070231980966651",
      "refund_amount": "0.1",
      "status": "SUCCESS"
    }
  },
  "meta": {"message": "请求成功", "status_code": 200, "success": true}
}"""

ORDER_4_9_VERSION_1 = """{
    "meta": {"status_code": 200, "message": "请求成功", "success": true},
    "data": {
        "order": {
            "status": "FAIL",
            "openid": "oQx43wJiwtsjv8C0lT5Lj7Mw1QZ4",
            "trade_type": "JSAPI",
            "exchange_rate": "0.8777",
            "ip": "47.52.77.110",
            "no": "xxxx",
            "device_info": "",
            "currency": "HKD",
            "amount": "1",
            "trade_time": "2017-06-22 21:29:47",
            "merchant_no": "xx",
            "pay_currency": "CNY",
            "product_info": "扫码支付 - xx科技有限公司",
            "settle_rate": "1",
            "pay_amount": "0.87",
            "refund_status": "None",
            "refundable_amount": "1"
        }
    }
}"""

ORDER_4_9_VERSION_2 = """{
    "meta": {"status_code": 200, "message": "请求成功", "success": true},
    "data": {
        "order": {
            "status": "FAIL",
            "openid": "oQx43wJiwtsjv8C0lT5Lj7Mw1QZ4",
            "trade_type": "JSAPI",
            "exchange_rate": 0.8777,
            "ip": "47.52.77.110",
            "no": "2017062221294656822821341",
            "device_info": "",
            "currency": "HKD",
            "amount": 1,
            "trade_time": "2017-06-22 21:29:47",
            "merchant_no": "test-mer",
            "pay_currency": "CNY",
            "product_info": "扫码支付 - xx科技有限公司",
            "pay_amount": 0.877
        },
        "refunds": [
            {"no": "2017073101xxxxx", "order_no": "2017062221294656822821341", "refund_amount": 50,
             "status": "SUCCESS"},
            {"no": "2017073102xxxxx", "order_no": "2017062221294656822821341", "refund_amount": 50,
             "status": "SUCCESS"}
        ]
    }
}"""

REFUND_4_10 = """{
    "meta": {"status_code": 200, "message": "请求成功", "success": true},
    "data": {
        "info": {
            "no": "2017073101xxxxx",
            "order_no": "20170731xxxx",
            "outer_refund_no": "20170731xxxx",
            "refund_amount": "100",
            "status": "SUCCESS"
        }
    }
}"""

REFUNDS_4_10 = """{
    "meta": {"status_code": 200, "message": "请求成功", "success": true},
    "refunds": [
        {"no": "2017073101xxxxx", "order_no": "20170731xxxx", "outer_refund_no": "20170731xxxx",
         "refund_amount": 50, "status": "SUCCESS"},
        {"no": "2017073102xxxxx", "order_no": "20170731xxxx", "outer_refund_no": "20170732xxxx",
         "refund_amount": 50, "status": "SUCCESS"}
    ]
}"""

RATE_4_11 = """{
  "data": {"currency": "USD", "rate": "6.8575"},
  "meta": {"message": "请求成功", "status_code": 200, "success": true}
}"""

ALIPAY_ORDER = """"order": {
            "status": "INIT",
            "trade_type": "NATIVE",
            "payment_no": "2017062312381442716795237",
            "currency": "HKD",
            "amount": "100",
            "merchant_no": "xxx",
            "outer_order_no": "xxxx",
            "trade_time": "xxxxx",
            "subject": "这是一个商品的名称",
            "exchange_rate": "0.8789"
        }"""
ALIPAY_SCANNED_PAY_6_1 = beside_meta(f'"data": {{"url": "{ALIPAY_URL}", {ALIPAY_ORDER}}}')
ALIPAY_APP_PAY_6_2 = beside_meta(f'"data": {{"prepay_string": {json.dumps(PREPAY_STRING)}, {ALIPAY_ORDER}}}')
ALIPAY_WAP_PAY_6_3 = ALIPAY_SCANNED_PAY_6_1
ALIPAY_QRCODE_PAY_7_1 = beside_meta(
    f'"data": {{"qrcode": "https://qr.alipay.com/bax04448a1pogrhduko280d3", {ALIPAY_ORDER}}}'
)
ALIPAY_SCAN_PAY_7_2 = beside_meta(f'"data": {{{ALIPAY_ORDER}}}')

ALIPAY_ORDER_6_5 = """{
  "data": {
    "order": {
      "amount": "0.10",
      "buyer_email": "18624@163.com",
      "channel": "ALIPAYCN",
      "charge_amount": "0.01",
      "currency": "HKD",
      "exchange_rate": "0.804740",
      "merchant_no": "test-mer",
      "payment_no": "2018020716122408862056356",
      "buyer_id": "2088702631783753",
      "pay_amount": "0.08",
      "pay_currency": "CNY",
      "product_info": "for test",
      "refund_status": "None",
      "refundable_amount": "0.10",
      "status": "PAID",
      "subject": "wisecasheir test",
      "trade_time": "2018-02-07 16:12:24",
      "trade_type": "NATIVE",
      "out_order_no": "2018020721001003750533954072"
    }
  },
  "meta": {"message": "Requset Successes", "status_code": 200, "success": true}
}"""

ALIPAY_REFUND_6_6 = REFUND_4_8.replace('"no"', '"refund_no"').replace('"order_no"', '"payment_no"')

ALIPAY_REFUND_6_7 = """{
    "meta": {"status_code": 200, "message": "请求成功", "success": true},
    "refund": {
        "no": "2017073101xxxxx",
        "order_no": "20170731xxxx",
        "agent_order_id": "20170731xxxx",
        "outer_refund_no": "20170731xxxx",
        "refund_amount": "100",
        "status": "SUCCESS"
    }
}"""

ALIPAY_REFUNDS_6_7 = """{
    "meta": {"status_code": 200, "message": "请求成功", "success": true},
    "refunds": [
        {"no": "2017073101xxxxx", "order_no": "20170731xxxx", "refund_no": "20170731xxxx",
         "agent_order_id": "20170731xxxx", "outer_refund_no": "20170731xxxx", "refund_amount": "100",
         "status": "SUCCESS"},
        {"no": "2017073102xxxxx", "order_no": "20170731xxxx", "refund_no": "20170732xxxx",
         "agent_order_id": "20170731xxxx", "outer_refund_no": "20170732xxxx", "refund_amount": "100",
         "status": "SUCCESS"}
    ]
}"""

ALIPAY_RATE_6_8 = beside_meta('"rate": {"currency": "HKD", "rate": "0.860000"}')

NOTIFICATION_10_2 = {
    "status": "PAID",
    "openid": "oQx43wJiwtsjv8C0lT5Lj7Mw1QZ4",
    "trade_type": "JSAPI",
    "exchange_rate": "0.8777",
    "no": "xxxx",
    "currency": "HKD",
    "amount": "1",
    "trade_time": "2017-06-22 21:29:47",
    "pay_currency": "CNY",
    "pay_amount": "0.87",
    "agent_order_id": "xxxx",
}
