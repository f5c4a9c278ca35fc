import time

import pytest

import penstock
from penstock import webhooks

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

# Of the standard's own libraries.
ID, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}'
HEADERS = {
    "webhook-id": ID,
    "webhook-timestamp": str(TIMESTAMP),
    "webhook-signature": "v1,bm9uZQ== v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


@pytest.fixture
def then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: TIMESTAMP + 60.0)


@pytest.mark.usefixtures("then")
@pytest.mark.parametrize("body", [BODY, BODY.encode()])
@pytest.mark.parametrize("secrets", [SECRET, [OTHER, SECRET]])
def test_what_is_signed_is_taken(body: "str | bytes", secrets: "str | list[str]") -> None:
    assert penstock.verify_webhook(body, HEADERS, secrets) == {"test": 2432232314}
    assert penstock.verify_webhook(body, {name.title(): value for name, value in HEADERS.items()}, secrets)


@pytest.mark.usefixtures("then")
@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": str(TIMESTAMP + 1)},
        {"webhook-timestamp": "now"},
        {"webhook-signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,\u00e9"},
    ],
)
def test_what_is_changed_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(penstock.InvalidWebhook):
        penstock.verify_webhook(BODY, HEADERS | change, SECRET)


@pytest.mark.usefixtures("then")
def test_another_secret_body_or_header_is_refused() -> None:
    with pytest.raises(penstock.InvalidWebhook, match="no signature"):
        penstock.verify_webhook(BODY, HEADERS, OTHER)
    with pytest.raises(penstock.InvalidWebhook, match="no signature"):
        penstock.verify_webhook(BODY + " ", HEADERS, SECRET)
    with pytest.raises(penstock.InvalidWebhook, match="no header webhook-id"):
        penstock.verify_webhook(BODY, {}, SECRET)
    with pytest.raises(ValueError, match="base 64"):
        webhooks.verify_webhook(BODY, HEADERS, "whsec_!")


def test_what_is_old_is_refused() -> None:
    with pytest.raises(penstock.InvalidWebhook, match="from now"):
        penstock.verify_webhook(BODY, HEADERS, SECRET)
