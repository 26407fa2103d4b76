"""What a person sees when a request cannot be answered, and the id under which we find it in the log."""

from __future__ import annotations

import logging
import secrets

from flask import Flask, Response, current_app, flash, g, jsonify, redirect, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import BadHost, HTTPException
from werkzeug.wrappers import Response as BaseResponse

from app.extensions import login_manager
from app.foundation.database import db
from app.foundation.errors import DomainError
from app.foundation.pages import KEPT, local_url, page, viewer

log = logging.getLogger(__name__)


def _sentences() -> dict[int, tuple[str, str, str]]:
    """Status → (title, sentence, picture)."""
    return {
        400: (_("We could not read that"), _("The request was incomplete. Nothing was changed."), "warning"),
        401: (_("Please sign in"), _("This page belongs to a member. Sign in and you are back here."), "locked"),
        403: (_("Not for this account"), _("Your account may not open this page. Nothing was changed."), "locked"),
        404: (_("Nothing here"), _("This page does not exist, or it is not yours to see."), "magnifier"),
        405: (_("That does not work here"), _("The page was opened in a way it does not support."), "warning"),
        413: (_("Too large"), _("The file or form is larger than we accept. Nothing was saved."), "warning"),
        422: (_("Please check"), _("Something in the form is not right. Nothing was changed."), "warning"),
        429: (_("A short pause"), _("That was tried too often. Wait a minute, then try again."), "hourglass"),
        500: (_("Our mistake"), _("Something broke on our side. Nothing was changed; please try again."), "warning"),
        503: (_("Back in a moment"), _("The service is being looked after. Please try again shortly."), "hourglass"),
    }


def _answer(status: int, sentence: str | None = None, headers: dict[str, str] | None = None) -> Response:
    _number_request()
    if status == 500:
        # The database may be what broke: the page about it is made for nobody in particular.
        db.session.rollback()
        login_manager._update_request_context_with_user()
    sentences = _sentences()
    title, text, picture = sentences.get(status, sentences[400 if status < 500 else 500])
    if request.accept_mimetypes.best == "application/json":
        response = jsonify(type="about:blank", title=title, status=status, detail=sentence or text)
        response.mimetype = "application/problem+json"
        response.status_code = status
        response.headers.update(headers or {})
        return response
    return page(
        "errors/error.html",
        status=status,
        headers=headers,
        title=title,
        text=sentence or text,
        picture=picture,
        **_way_on(status),
        request_id=g.request_id,
    )


def _way_on(status: int) -> dict[str, str]:
    """Where to go from here. A member at the office's door would be refused again on its start page."""
    office = request.path.startswith("/backoffice")
    if office and status == 403 and viewer().kind != "staff":
        return {"action_label": _("Sign in as a colleague"), "action_url": "/backoffice/session"}
    if not office and status == 403 and viewer().kind == "staff":
        return {"action_label": _("Go to the back office"), "action_url": "/backoffice/"}
    return {"action_label": _("Go to the start page"), "action_url": "/backoffice/" if office else "/"}


def _http_error(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if status < 400 or error.response is not None:
        return error  # A redirect, or an answer that was made already.
    if isinstance(error, BadHost):
        return error  # Where not even the host makes sense, no page of ours could link anywhere.
    kept = {"Allow": ", ".join(getattr(error, "valid_methods", None) or [])} if status == 405 else {}
    return _answer(status, headers={key: value for key, value in kept.items() if value})


def _domain_error(error: DomainError) -> BaseResponse:
    """An action refused. On a form post go back to the page with the sentence; else show it."""
    log.info("refused: %s: %s", type(error).__name__, error)
    back = local_url((request.referrer or "").removeprefix(request.host_url.rstrip("/")), "")
    if request.method == "GET" or error.status == 404 or request.headers.get("HX-Request") or not back:
        return _answer(error.status, str(error))
    flash(str(error), "danger")
    return redirect(back, code=303)


def _expired_form(error: CSRFError) -> BaseResponse:
    """The session ended while the form lay open. Nothing was done: show the page again, with a word why."""
    log.info("csrf: %s", error.description)
    sentence = _("This page had been open for too long. Nothing was changed; please try once more.")
    back = local_url((request.referrer or "").removeprefix(request.host_url.rstrip("/")), "")
    if request.headers.get("HX-Request") or not back:
        return _answer(400, sentence)
    flash(sentence, "warning")
    return redirect(f"{back}{KEPT}", code=303)


def _bug(error: Exception) -> Response:
    _number_request()
    log.exception("request %s failed: %s %s", g.get("request_id"), request.method, request.path)
    if current_app.testing:
        raise error
    return _answer(500)


def _number_request() -> None:
    # Refused by CSRF or the rate limit, a request is answered before it comes here: then it is numbered on its way out.
    if "request_id" not in g:
        g.request_id = secrets.token_hex(8)


def _tell_number(response: Response) -> Response:
    _number_request()
    response.headers["X-Request-Id"] = g.request_id
    return response


def init_app(app: Flask) -> None:
    app.before_request(_number_request)
    app.after_request(_tell_number)
    app.register_error_handler(CSRFError, _expired_form)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(Exception, _bug)
