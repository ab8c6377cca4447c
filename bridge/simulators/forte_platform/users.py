"""A project's end-users, as its server sees them; they register themselves, so there is no way to make one here.

Source: the SDK's types.
"""

from .errors import Json
from .lists import page, with_metadata, within
from .state import Call, User, iso


def list_all(call: Call) -> Json:
    """The users that fit the query: e-mail and name regardless of case, the telephone number exactly."""
    query = call.query
    found = [
        user
        for user in call.state.users.values()
        if user.project == call.project.id
        and _same(query.get("email"), user.email)
        and _same(query.get("fullName"), user.full_name)
        and query.get("phone") in (None, user.phone)
    ]
    found = with_metadata(found, query, "USER_FILTER_INVALID")
    return page(within(found, query), call, query, _shape)


def find(call: Call) -> Json:
    return _shape(call.state.user(call.project, call.ids["user"]))


def _same(asked: str | None, known: str | None) -> bool:
    return asked is None or (known is not None and asked.casefold() == known.casefold())


def _shape(user: User) -> Json:
    contact = {
        "contactMethodId": user.contact_id,
        "verified": True,
        "phoneNumber": user.phone,
        "email": user.email,
        "linkedTime": iso(user.created),
        "verifiedTime": iso(user.created),
    }
    known = {
        "userId": user.id,
        "fullName": user.full_name,
        "projectId": user.project,
        "roles": [],
        "createdAt": iso(user.created),
        "customMetadataAttributes": dict(user.metadata),
        "contactMethods": [{name: value for name, value in contact.items() if value is not None}],
        "state": user.state,
    }
    return {name: value for name, value in known.items() if value is not None}
