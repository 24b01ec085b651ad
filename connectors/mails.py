"""The texts of outgoing mail, as RFC 5322 messages. Nothing given by others can add a header or a recipient."""

import csv
import io
import re
from datetime import UTC, datetime
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from html import escape

from domain.actions import CancelPurchaseOrder, PlacePurchaseOrder, SendReply
from domain.entities import PurchaseOrder
from domain.errors import Permanent
from domain.ids import derived_id

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")
_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]+@[\x21-\x3b\x3d\x3f-\x7e]+>")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_COLUMNS = ("sku", "title", "units", "unit_cost", "line_total", "currency")


def reply_mail(action: SendReply, at: datetime) -> EmailMessage:
    """A reply as it goes out. Raises Permanent for an empty body or a header that cannot be."""
    if not action.body.strip():
        raise Permanent(f"the reply on ticket {action.ticket_id} has no text", hint="write one and approve it")
    message = _mail(reply_message_id(action), action.sender, action.to, action.subject, action.body, at)
    if _MESSAGE_ID.fullmatch(referred := _bracketed(action.in_reply_to)):
        message["In-Reply-To"] = message["References"] = referred
    return message


def reply_message_id(action: SendReply) -> str:
    """The reply's Message-ID: the action's own, in brackets, with the sender's domain where it has none."""
    return with_domain(action.message_id, action.sender)


def message_id_for(action: PlacePurchaseOrder | CancelPurchaseOrder) -> str:
    return with_domain(str(derived_id(action.kind, action.purchase_order.purchase_order_id)), action.sender)


def purchase_mail(action: PlacePurchaseOrder | CancelPurchaseOrder, at: datetime) -> EmailMessage:
    match action:
        case PlacePurchaseOrder():
            return order_mail(action, at)
        case CancelPurchaseOrder():
            return cancellation_mail(action, at)


def order_mail(action: PlacePurchaseOrder, at: datetime) -> EmailMessage:
    """The order as plain text, HTML and a CSV file."""
    order = action.purchase_order
    subject = f"Purchase order {order.purchase_order_id}"
    message = _mail(message_id_for(action), action.sender, action.to, subject, _order_text(order), at)
    message.add_alternative(_order_html(order), subtype="html")
    message.add_attachment(_order_csv(order), subtype="csv", filename=f"{_file_name(order.purchase_order_id)}.csv")
    return message


def cancellation_mail(action: CancelPurchaseOrder, at: datetime) -> EmailMessage:
    """The cancellation, as an answer to the order's own mail."""
    order = action.purchase_order
    subject = f"Cancellation of purchase order {order.purchase_order_id}"
    text = (
        f"Hello,\n\nplease cancel our purchase order {order.purchase_order_id} of {order.ordered_at:%d %B %Y} "
        f"over {order.total}.\nReason: {action.reason}\n\nPlease confirm that nothing of it will be shipped. Thank you.\n"
    )
    message = _mail(message_id_for(action), action.sender, action.to, subject, text, at)
    placed = PlacePurchaseOrder(purchase_order=order, to=action.to, sender=action.sender)
    message["In-Reply-To"] = message["References"] = message_id_for(placed)
    return message


def _mail(message_id: str, sender: str, to: str, subject: str, body: str, at: datetime) -> EmailMessage:
    message = EmailMessage(policy=policy.SMTP)
    if not _MESSAGE_ID.fullmatch(message_id):
        raise Permanent(f"{message_id!r} is not a Message-ID")
    try:
        message["From"] = _header("From", sender)
        message["To"] = _recipient(to)
        message["Subject"] = _header("Subject", subject) or "(no subject)"
        message["Date"] = at.astimezone(UTC)
        message["Message-ID"] = message_id
        message.set_content(body)
    except (MessageError, ValueError) as error:  # an address that does not parse, a text that is not Unicode
        raise Permanent(f"the mail to {to!r} cannot be written: {error}") from error
    return message


def _header(name: str, value: str) -> str:
    if _CONTROL.search(value):
        raise Permanent(f"the mail's {name} contains a line break or a control character", hint="look at where it comes from")
    return value


def _recipient(value: str) -> str:
    """Exactly one bare address, so that a text cannot name a second recipient."""
    if not _ADDRESS.fullmatch(_header("To", value)):
        raise Permanent(f"{value!r} is not one plain mail address")
    return value


def with_domain(message_id: str, sender: str) -> str:
    """``message_id`` in brackets, with the domain of ``sender`` where it has none."""
    bare = message_id.strip().removeprefix("<").removesuffix(">")
    domain = sender.rpartition("@")[2].rstrip("> ") or "localhost"
    return _bracketed(bare if "@" in bare else f"{bare}@{domain}")


def _bracketed(message_id: str) -> str:
    return f"<{message_id.strip().removeprefix('<').removesuffix('>')}>"


def _order_text(order: PurchaseOrder) -> str:
    lines = "\n".join(f"{line.units:>7} x {line.sku}  {line.title}  at {line.unit_cost}" for line in order.lines)
    return (
        f"Hello,\n\nplease send us the following, order {order.purchase_order_id}:\n\n{lines}\n\n"
        f"Total: {order.total}\nExpected by: {order.expected_at:%d %B %Y}\n\n"
        "The same order is attached as a CSV file. Please confirm it and the date. Thank you.\n"
    )


def _order_html(order: PurchaseOrder) -> str:
    rows = "".join(
        f"<tr><td>{escape(line.sku)}</td><td>{escape(line.title)}</td><td>{line.units}</td><td>{escape(str(line.unit_cost))}</td></tr>"
        for line in order.lines
    )
    return (
        f"<p>Hello,</p><p>please send us the following, order {escape(order.purchase_order_id)}:</p>"
        f"<table><thead><tr><th>SKU</th><th>Article</th><th>Units</th><th>Unit cost</th></tr></thead><tbody>{rows}</tbody></table>"
        f"<p>Total: {escape(str(order.total))}<br>Expected by: {order.expected_at:%d %B %Y}</p>"
        "<p>The same order is attached as a CSV file. Please confirm it and the date. Thank you.</p>"
    )


def _order_csv(order: PurchaseOrder) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for line in order.lines:
        total = (line.unit_cost * line.units).rounded()
        cost = line.unit_cost
        writer.writerow((_cell(line.sku), _cell(line.title), line.units, cost.amount, total.amount, cost.currency))
    return file.getvalue()


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)
