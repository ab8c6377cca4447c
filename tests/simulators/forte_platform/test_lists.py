"""Lists and search: filters, order, pages; and the users whom a server can look up."""

import pytest

from .conftest import line

INVALID = (400, "REQUEST_VALIDATION_FAILED")


def ids(answer):
    return [item["id"] for item in answer["items"]]


@pytest.fixture
def made(merchant, clock):
    """Seven payments, a minute apart, oldest first; every second one is completed. Pages have five."""
    payments = []
    for number in range(7):
        amount = line(unitAmountCents=1000 + 100 * (number % 3))
        body = merchant.create(amount, metadata={"attempt": str(number), "shop": "a"})
        payments.append(body["payment"]["id"])
        if number % 2:
            merchant.simulator.set_stripe_status(payments[-1], "succeeded")
        clock.advance(60)
    return payments


@pytest.mark.parametrize("path", ["payments", "users/{}/payments"])
def test_a_list_comes_in_small_pages_newest_first(merchant, made, path):
    path = path.format(merchant.user)
    first = merchant.done("GET", path)
    assert (ids(first), first["hasNextPage"]) == (made[:1:-1], True)
    rest = merchant.done("GET", path, params={"nextToken": first["nextPageToken"]})
    assert ids(rest) == made[1::-1]
    assert (rest["hasNextPage"], "nextPageToken" in rest) == (False, False)


def test_what_happens_between_two_pages_shifts_nothing(make_merchant):
    merchant = make_merchant(page_size=2)
    made = [merchant.create()["payment"]["id"] for _ in range(5)]
    first = merchant.done("GET", "payments?state=DRAFT")
    merchant.create()
    merchant.simulator.set_stripe_status(made[3], "succeeded")
    second = merchant.done("GET", "payments?state=DRAFT", params={"nextToken": first["nextPageToken"]})
    assert (ids(first), ids(second)) == ([made[4], made[3]], [made[2], made[1]])


def test_a_token_continues_its_own_list_only(merchant, simulator, made):
    token = merchant.done("GET", "payments")["nextPageToken"]
    other = simulator.add_project()
    refused = (400, "INVALID_PAGINATION_TOKEN")
    assert merchant.refused("GET", "payments?state=DRAFT", params={"nextToken": token}) == refused
    assert merchant.refused("GET", merchant.payments, params={"nextToken": token}) == refused
    assert merchant.refused("GET", f"/api/v1/projects/{other}/payments", params={"nextToken": token}) == refused
    for forged in ("", "x", "bnVsbA==", "W10=", token[:-4]):
        assert merchant.refused("GET", "payments", params={"nextToken": forged}) == refused


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"state": "COMPLETED"}, [5, 3, 1]),
        ({"state": "REFUNDED"}, []),
        ({"metadataKey": "attempt", "metadataValue": "3"}, [3]),
        ({"metadataKey": "attempt", "metadataValue": "03"}, []),
        ({"metadataKey": "shop", "metadataValue": "a", "state": "COMPLETED"}, [5, 3, 1]),
        ({"minTime": "2026-05-10T18:46:11.123Z"}, [6, 5, 4]),
        ({"maxTime": "2026-05-10T20:43:11.123+02:00"}, [1, 0]),
        ({"minTime": "2026-05-10T18:43:00Z", "maxTime": "2026-05-10T18:45:00Z"}, [2, 1]),
    ],
)
def test_a_list_is_filtered(merchant, made, query, expected):
    for path in ("payments", merchant.payments):
        assert ids(merchant.done("GET", path, params=query)) == [made[number] for number in expected]


def test_a_project_s_list_is_filtered_by_user_and_a_user_s_list_is_their_own(merchant, simulator, made):
    bob = simulator.add_user(merchant.project)
    merchant.user = bob
    payment = merchant.create()["payment"]["id"]
    assert ids(merchant.done("GET", f"payments?userId={bob}")) == [payment]
    assert ids(merchant.done("GET", merchant.payments)) == [payment]
    assert merchant.refused("GET", "users/usr_unheard/payments") == (404, None)


def test_projects_do_not_see_each_other_s_payments(merchant, simulator, made):
    merchant.project = simulator.add_project()
    assert merchant.done("GET", "payments") == {"items": [], "hasNextPage": False}
    assert merchant.done("POST", "payments/search", {}) == {"items": [], "hasNextPage": False}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"metadataKey": "attempt"}, "PAYMENT_METADATA_FILTER_INVALID"),
        ({"metadataValue": "3"}, "PAYMENT_METADATA_FILTER_INVALID"),
        ({"state": "PAID"}, "REQUEST_VALIDATION_FAILED"),
        ({"minTime": "yesterday"}, "INVALID_PAGINATION_TIME_PARAMS"),
        ({"minTime": "2026-05-10T18:43:00"}, "INVALID_PAGINATION_TIME_PARAMS"),
        ({"minTime": "2026-05-11T00:00:00Z", "maxTime": "2026-05-10T00:00:00Z"}, "INVALID_PAGINATION_TIME_PARAMS"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(merchant, query, code):
    assert merchant.refused("GET", "payments", params=query) == (400, code)


def search(merchant, *, pages=1, **body):
    found, token = [], {}
    for _ in range(pages):
        answer = merchant.done("POST", "payments/search", {**body, **token})
        found.append(ids(answer))
        token = {"nextToken": answer.get("nextPageToken")}
    assert not answer["hasNextPage"]
    return found


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"states": ["COMPLETED", "REFUNDED"]}, [5, 3, 1]),
        ({"notStates": ["DRAFT"]}, [5, 3, 1]),
        ({"minTime": "2026-05-10T18:47:00Z"}, [6, 5]),
        ({"userId": "usr_unheard"}, []),
        ({"states": []}, []),
    ],
)
def test_a_search_filters(merchant, made, wanted, expected):
    assert search(merchant, filter=wanted) == [[made[number] for number in expected]]


def test_a_search_by_ids_and_without_them(merchant, made):
    assert search(merchant, filter={"ids": [made[0], made[4], "pay_unheard"]}) == [[made[4], made[0]]]
    assert search(merchant, filter={"notIds": made[2:]}) == [[made[1], made[0]]]


def test_a_search_sorts_and_pages(merchant, made):
    by_amount = {"sortBy": "AMOUNT_CENTS", "sortDir": "ASC"}
    expected = [made[number] for number in (0, 3, 6, 1, 4, 2, 5)]
    assert search(merchant, pages=3, sort=by_amount, pageSize=3) == [expected[:3], expected[3:6], expected[6:]]
    assert search(merchant, sort={"sortBy": "AMOUNT_CENTS"}, pageSize=200) == [expected[::-1]]
    assert search(merchant, sort={"sortBy": "CREATED_AT", "sortDir": "ASC"}, pageSize=7) == [made]
    assert search(merchant, pages=2) == [made[:1:-1], made[1::-1]]


@pytest.mark.parametrize(
    "body",
    [
        {"pageSize": 0},
        {"pageSize": 201},
        {"filter": {"states": ["PAID"]}},
        {"filter": {"states": ["DRAFT"] * 21}},
        {"filter": {"ids": ["pay_x"] * 101}},
        {"filter": {"ids": ["x" * 129]}},
        {"filter": {"metadataKey": "a"}},
        {"sort": {"sortBy": "STATE"}},
        {"sort": {"sortDir": "desc"}},
        {"query": "x"},
    ],
)
def test_a_search_has_limits(merchant, body):
    assert merchant.refused("POST", "payments/search", body) == INVALID


def test_users_are_found_by_e_mail_twice_if_there_are_two(merchant, simulator):
    twin = simulator.add_user(merchant.project, "ADA@example.com", full_name="Ada L", phone="+15550100")
    simulator.add_user(merchant.project, "bob@example.com")
    simulator.add_user(simulator.add_project(), "ada@example.com")
    found = merchant.done("GET", "users", params={"email": "ada@example.com"})
    assert [user["userId"] for user in found["items"]] == [twin, merchant.user]
    for query in ({"fullName": "ada l"}, {"phone": "+15550100"}):
        assert [user["userId"] for user in merchant.done("GET", "users", params=query)["items"]] == [twin]
    assert merchant.done("GET", "users", params={"email": "nobody@example.com"})["items"] == []
    assert len(merchant.done("GET", "users")["items"]) == 3


def test_users_are_paged_and_filtered_by_metadata(merchant, simulator, clock):
    made = [simulator.add_user(merchant.project, metadata={"wc": str(number)}) for number in range(5)]
    first = merchant.done("GET", "users")
    rest = merchant.done("GET", "users", params={"nextToken": first["nextPageToken"]})
    assert [user["userId"] for user in first["items"] + rest["items"]] == [*reversed(made), merchant.user]
    query = {"metadataKey": "wc", "metadataValue": "2"}
    assert [user["userId"] for user in merchant.done("GET", "users", params=query)["items"]] == [made[2]]
    assert merchant.refused("GET", "users?metadataKey=wc") == (400, "USER_FILTER_INVALID")


def test_a_user_is_shown_as_the_sdk_knows_it(merchant, simulator):
    user = simulator.add_user(merchant.project, "eve@example.com", full_name="Eve", state="SUSPENDED")
    shown = merchant.done("GET", f"users/{user}")
    (contact,) = shown.pop("contactMethods")
    moment = "2026-05-10T18:42:11.123Z"
    assert shown == {
        "userId": user,
        "fullName": "Eve",
        "projectId": merchant.project,
        "roles": [],
        "createdAt": moment,
        "customMetadataAttributes": {},
        "state": "SUSPENDED",
    }
    assert contact == {
        "contactMethodId": contact["contactMethodId"],
        "verified": True,
        "email": "eve@example.com",
        "linkedTime": moment,
        "verifiedTime": moment,
    }
    assert merchant.refused("GET", "users/usr_unheard") == (404, None)
