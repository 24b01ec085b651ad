"""Invented customers, one after another."""

from demo.simulation.chance import chance
from demo.simulation.data import load
from domain.entities import Address, Customer


def customer(number: int, *, seed: int) -> Customer:
    """The customer with this number: always the same one for a seed."""
    people, draw = load("people"), chance(seed, "customer", number)
    first, last = draw.choice(people["first"]), draw.choice(people["last"])
    email = f"{first}.{last}.{number}@{draw.choice(people['mailboxes'])}".lower()
    name = f"{first} {last}"
    return Customer(
        customer_id=f"s-{number}", name=name, email=email, locale="en", address=address(name, seed, "home", str(number))
    )


def address(name: str, seed: int, *purpose: str) -> Address:
    """Somewhere a parcel can go."""
    people, draw = load("people"), chance(seed, "address", *purpose)
    return Address(name=name, line1=f"{draw.choice(people['streets'])} {draw.randint(1, 90)}", **draw.choice(people["towns"]))


def stranger(*, seed: int, purpose: str) -> str:
    """The mail address of somebody who never bought anything."""
    return str(chance(seed, "stranger", purpose).choice(load("people")["strangers"]))
