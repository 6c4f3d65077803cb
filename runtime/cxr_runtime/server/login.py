"""Logging in and out, accounts, and the audit that an admin can read."""

from functools import cache
from math import ceil
from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cxr_runtime.errors import UsageError
from cxr_runtime.language import _, plural
from cxr_runtime.names import printable
from cxr_runtime.server import page_frame
from cxr_runtime.server.door import BACK, LOGIN, TOKEN_FIELD, acting, cookie_of, keep, room_of, visitor_of
from cxr_runtime.server.reading_room import ReadingRoom
from cxr_runtime.store.accounts import Account, Role, check_name, hashed, is_password
from cxr_runtime.store.audit import Act

HASHING_SECONDS = 10.0  # that a login waits for others: passwords are hashed one at a time, 64 MiB each
MOST_FIELDS = 8
LINES = 500  # of the audit on its page
# Tries that come at once; a name has more of them, so that a stranger does not keep its owner out at once.
FREE_OF_ADDRESS, FREE_OF_NAME = 5, 20
UNKNOWN = "unknown"  # in the audit: a name that is no account may be a password, typed in the wrong place


async def fields(request: Request) -> dict[str, str]:
    """A form's fields, each once.

    Raises:
        HTTPException: it is no form.
    """
    try:
        body = (await request.body()).decode()
        given = parse_qs(body, keep_blank_values=True, strict_parsing=bool(body), max_num_fields=MOST_FIELDS)
    except ValueError:
        raise HTTPException(400, _("This cannot be read as a form.")) from None
    return {name: values[0] for name, values in given.items()}


def login_page(request: Request) -> Response:
    """GET /login."""
    return _login(request, request.query_params.get(BACK, ""))


def _login(request: Request, back: str, said: str = "", status: int = 200) -> Response:
    return page_frame.page(request, "login.html", styles=("room.css",), status=status, said=said, back=back)


async def log_in(request: Request) -> Response:
    """POST /login: name and password; a new session, whatever cookie came with it."""
    form = await fields(request)
    return await run_in_threadpool(_log_in, request, form)


def _wait(seconds: int) -> str:
    return plural(
        "Too many tries. Please wait {count} second.",
        "Too many tries. Please wait {count} seconds.",
        seconds,
    )


def _log_in(request: Request, form: dict[str, str]) -> Response:
    name, password, back = (form.get(field, "") for field in ("name", "password", BACK))
    room, address = room_of(request), request.client.host if request.client else ""
    wait = room.brake.wait({f"address {address}": FREE_OF_ADDRESS, f"name {name[:64]}": FREE_OF_NAME})
    if wait > 0:
        return _login(request, back, _wait(ceil(wait)), 429)
    with room.reading() as desk:
        account = desk.accounts.get(name[:64])
    if not room.hashing.acquire(timeout=HASHING_SECONDS):
        return _login(request, back, _("Too many people log in just now. Please try again."), 503)
    try:
        is_right = is_password(password, _nobodys() if account is None else account.password)
    finally:
        room.hashing.release()
    if account is None or not is_right:
        room.desk.note(UNKNOWN if account is None else account.name, Act.LOGIN_FAILED, address)
        return _login(request, back, _("Name and password do not belong together."), 403)
    room.brake.forgive(f"address {address}", f"name {name}")
    room.sessions.end(cookie_of(request.scope, room))
    room.desk.note(account.name, Act.LOGGED_IN, address)
    answer = RedirectResponse(f"/?{back}" if back else "/", 303)  # to the list, whatever was asked for
    keep(answer, room, room.sessions.begin(account))
    return answer


@cache
def _nobodys() -> str:
    """A digest that no password has: a name that is no account takes as long as one that is."""
    return hashed("nobody's password")


async def log_out(request: Request) -> Response:
    """POST /logout."""
    room = room_of(request)
    visitor = acting(request, (await fields(request)).get(TOKEN_FIELD), least=Role.READ_ONLY)
    room.sessions.end(visitor.kept)
    await run_in_threadpool(room.desk.note, visitor.name, Act.LOGGED_OUT)
    answer = RedirectResponse(LOGIN, 303)
    keep(answer, room, "")
    return answer


def accounts_page(request: Request) -> Response:
    """GET /accounts: for admins."""
    return _accounts(request)


def _accounts(request: Request, said: str = "", status: int = 200) -> Response:
    room = room_of(request)
    _admin(request)
    with room.reading() as desk:
        every = list(desk.accounts.every())
    return page_frame.page(
        request,
        "accounts.html",
        styles=("room.css",),
        status=status,
        accounts=every,
        roles=list(Role),
        said=said,
    )


def _admin(request: Request) -> None:
    if visitor_of(request).role is not Role.ADMIN:
        raise HTTPException(403, _("This account may not see that."))


async def change_accounts(request: Request) -> Response:
    """POST /accounts: `act` is add or remove; a new password ends all sessions of its account."""
    form = await fields(request)
    visitor = acting(request, form.get(TOKEN_FIELD), least=Role.ADMIN)
    change: Any = {"add": _add, "remove": _remove}.get(form.get("act", ""))
    if change is None:
        raise HTTPException(400, _("This cannot be done with accounts."))
    try:
        await run_in_threadpool(change, room_of(request), visitor.name, form)
    except (UsageError, ValueError) as error:
        return await run_in_threadpool(_accounts, request, str(error), 400)
    return RedirectResponse("/accounts", 303)


def _add(room: ReadingRoom, actor: str, form: dict[str, str]) -> None:
    name, role = check_name(form.get("name", "")), Role(form.get("role", ""))
    with room.hashing:
        digest = hashed(form.get("password", ""))
    with room.reading() as desk:
        is_there = desk.accounts.get(name) is not None
        if role is not Role.ADMIN and not desk.has_accounts():
            raise UsageError("the first account is that of an admin, who adds the others; choose that role")
    act = Act.USER_CHANGED if is_there else Act.USER_ADDED
    with room.desk.acting(actor, act, f"{name} {role}") as now:
        room.desk.accounts.put(Account(name, role, digest, now))


def _remove(room: ReadingRoom, actor: str, form: dict[str, str]) -> None:
    name = form.get("name", "")
    if name == actor:
        raise UsageError("you cannot remove the account that you use; let another admin do it")
    with room.desk.acting(actor, Act.USER_REMOVED, name):
        if not room.desk.accounts.remove(name):
            raise UsageError(f"there is no account {printable(name)[:60]}; the table shows those there are")


def audit_page(request: Request) -> Response:
    """GET /audit: the latest entries, and whether the chain is whole; for admins."""
    _admin(request)
    with room_of(request).reading() as desk:
        entries, verified = desk.audit.latest(LINES), desk.audit.verify()
    return page_frame.page(request, "audit.html", styles=("room.css",), entries=entries, verified=verified)
