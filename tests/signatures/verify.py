"""Holds notifications against the Python library of Standard Webhooks.

usage: verify.py < notifications, one JSON object a line
"""

import base64
import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError


def accepts(key, body, headers):
    try:
        Webhook(key).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


failures = 0
for line in sys.stdin:
    case = json.loads(line)
    accepted = accepts(case["key"], base64.b64decode(case["body"]), case["headers"])
    failures += accepted != case["valid"]
    verdict = "accepts" if accepted else "refuses"
    wrong = "" if accepted == case["valid"] else ": WRONG"
    print(f"Python {verdict} {case['title']}{wrong}")
sys.exit(1 if failures else 0)
