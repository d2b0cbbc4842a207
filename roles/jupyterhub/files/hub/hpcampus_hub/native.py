# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""NativeAuthenticator 1.3.0 made to work with JupyterHub 6, as subclasses.

Mended: the login page's own handler (it used a timer that the hub dropped and could not show a failed form), passwords
above bcrypt's 72 bytes (they ended in an error page), and the two admin links that change something by GET (any other
site could have made an administrator's browser follow them).

Changed: nobody is admitted for a name alone. Administrators have an account in the account file, as with
:class:`hpcampus_hub.auth.AccountsFileAuthenticator`; everybody else signs up and is admitted by one of them.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bcrypt
import nativeauthenticator.handlers as native
from jupyterhub.handlers import BaseHandler
from nativeauthenticator import NativeAuthenticator as Upstream
from nativeauthenticator.orm import UserInfo
from tornado import web
from tornado.escape import url_escape
from tornado.httputil import url_concat
from traitlets import Unicode, default

from .auth import MOST_PASSWORD_BYTES, AccountsError, AccountsFile, check_password, is_username, password_fits
from .names import course_of

PASSWORD_FIELDS = (
    "password",
    "signup_password",
    "signup_password_confirmation",
    "old_password",
    "new_password",
    "new_password_confirmation",
)


class PasswordLengthMixin(BaseHandler):
    """Answers a form with a password that bcrypt cannot take whole."""

    async def prepare(self) -> None:
        """Look at the form's passwords before the handler does."""
        await super().prepare()
        for field in PASSWORD_FIELDS:
            for value in self.request.body_arguments.get(field, ()):
                if len(value) > MOST_PASSWORD_BYTES or b"\0" in value:
                    raise web.HTTPError(400, f"A password may have {MOST_PASSWORD_BYTES} bytes at most.")


class SameSiteMixin(BaseHandler):
    """Refuses a request that another site made the browser send."""

    async def prepare(self) -> None:
        """Browsers say where a request comes from; only the hub's own pages and typed addresses are good."""
        await super().prepare()
        if self.request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise web.HTTPError(403, "Follow this link from the hub's own page.")


class LoginHandler(PasswordLengthMixin, native.LoginHandler):
    """The login page."""

    def _render(self, login_error: str | None = None, username: str | None = None, **more: Any) -> Any:
        """Render the form; the hub also asks for it when a form failed, with more to pass on."""
        next_url = self.get_argument("next", default="")
        page = {
            "next": url_escape(next_url),
            "username": username,
            "login_error": login_error,
            "custom_html": self.authenticator.custom_html,
            "login_url": self.settings["login_url"],
            "enable_signup": self.authenticator.enable_signup,
            "two_factor_auth": self.authenticator.allow_2fa,
            "authenticator_login_url": url_concat(self.authenticator.login_url(self.hub.base_url), {"next": next_url}),
            "xsrf": self.xsrf_token.decode("ascii"),
        }
        return self.render_template("native-login.html", **{**more, **page})

    async def post(self) -> None:
        """Log in."""
        names = [name for name in self.request.body_arguments if name != "_xsrf"]
        data = {name: self.get_body_argument(name, strip=name == "username") for name in names}
        if not {"username", "password"} <= data.keys():
            raise web.HTTPError(400, "The form needs a user name and a password.")
        user = await self.login_user(data)
        if user:
            self._jupyterhub_user = user
            self.redirect(self.get_next_url(user))
            return
        self.set_status(403)
        error = "Invalid username or password."
        if getattr(self, "awaits_authorization", False):
            error = "Your account has not been authorized by an administrator yet."
        self.finish(await self._render(login_error=error, username=data["username"][:64]))


class SignUpHandler(PasswordLengthMixin, native.SignUpHandler):
    """The page on which people ask for an account."""


class ChangePasswordHandler(PasswordLengthMixin, native.ChangePasswordHandler):
    """The page on which people change their password."""

    async def prepare(self) -> None:
        """Say so when there is no password here to change."""
        await super().prepare()
        user = self.current_user
        if user is not None and self.authenticator.get_user(user.name) is None:
            raise web.HTTPError(400, "Your password is kept by the administrator of the site. Ask there for a new one.")


class ChangePasswordAdminHandler(PasswordLengthMixin, native.ChangePasswordAdminHandler):
    """The page on which an administrator changes somebody's password."""


class ToggleAuthorizationHandler(SameSiteMixin, native.ToggleAuthorizationHandler):
    """The link by which an administrator authorizes an account."""


class DiscardHandler(SameSiteMixin, native.DiscardHandler):
    """The link by which an administrator discards a request for an account."""


REPLACED = {
    native.LoginHandler: LoginHandler,
    native.SignUpHandler: SignUpHandler,
    native.ChangePasswordHandler: ChangePasswordHandler,
    native.ChangePasswordAdminHandler: ChangePasswordAdminHandler,
    native.ToggleAuthorizationHandler: ToggleAuthorizationHandler,
    native.DiscardHandler: DiscardHandler,
}


class NativeAuthenticator(Upstream):
    """Accounts in the hub's database, asked for on a page and authorized by an administrator; and those of the account file."""

    accounts_file = Unicode("", help="Account file of those who do not sign up; empty for none.").tag(config=True)

    template_paths = (str(Path(native.TEMPLATE_DIR)),)
    any_allow_config = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._decoy = bcrypt.gensalt().decode("ascii") + "." * 31
        self._file = AccountsFile(self.accounts_file) if self.accounts_file else None

    @default("minimum_password_length")
    def _default_minimum_password_length(self) -> int:
        return 8

    def _hashes(self) -> Mapping[str, str]:
        """Password hashes of the account file."""
        try:
            return self._file.load().hashes if self._file else {}
        except AccountsError as error:
            self.log.error("Accounts of the file cannot log in: %s", error)  # noqa: TRY400 (the sentence says it all)
            return {}

    def get_authed_users(self) -> set[str]:
        """Who has been admitted. Upstream counts every configured name, so whoever signs up under it would be in at once."""
        return {account.username for account in UserInfo.all_users(self.db) if account.is_authorized}

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """Upstream's pages, mended ones in their places."""
        return [(path, REPLACED.get(handler, handler)) for path, handler in super().get_handlers(app)]

    def validate_username(self, username: str) -> bool:
        """Refuse names that could mean something to a shell, a path or a page."""
        return is_username(username) and bool(super().validate_username(username))

    def create_user(self, username: str, password: str, **kwargs: Any) -> Any:
        """Make an account, unless the name belongs to a course, to the account file, or to an administrator."""
        name = self.normalize_username(username)
        if course_of(name) is not None or name in self.admin_users or name in self._hashes():
            return None
        return super().create_user(username, password, **kwargs)

    def is_password_strong(self, password: str) -> bool:
        """Upstream's rules, and no longer than bcrypt can take."""
        return password_fits(password) and bool(super().is_password_strong(password))

    def check_allowed(self, username: str, _authentication: Any = None) -> bool:
        """Whoever has an authorized account is allowed; with ``allowed_users``, only those of them."""
        account = self.get_user(username)
        known = username in self._hashes() or (account is not None and bool(account.is_authorized))
        return known and (self.allow_all or not self.allowed_users or username in self.allowed_users)

    async def authenticate(self, handler: Any, data: Mapping[str, Any]) -> str | None:
        """Check name and password off the hub's loop; an unknown name takes as long as a wrong password."""
        name = str(self.normalize_username(str(data.get("username", ""))))
        own = self._hashes().get(name)
        if own is not None:
            return name if await asyncio.to_thread(check_password, str(data.get("password", "")), own) else None
        account = self.get_user(name)
        if account is not None and self.allowed_failed_logins and self.is_blocked(name):
            return None
        hashed = self._decoy if account is None else account.password.decode("ascii")
        matches = await asyncio.to_thread(check_password, str(data.get("password", "")), hashed)
        if account is None:
            return None
        if matches and account.has_2fa:
            matches = bool(account.is_valid_token(data.get("2fa")))
        if matches and account.is_authorized:
            self.successful_login(name)
            return name
        if matches:
            handler.awaits_authorization = True
        else:
            self.add_login_attempt(name)
        return None
