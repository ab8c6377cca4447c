"""What a release consists of, as a CycloneDX document: the wheel, and each package of requirements.lock.

Names and versions come from the lock, licenses and dependencies from the packages' own metadata as installed here.
Scopes: `required` is needed by every installation, `optional` by an extra, `excluded` only builds the wheel.
"""

import email.message
import hashlib
import os
import re
import uuid
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

DEVELOPMENT = "dev"
EXTRA = re.compile(r'extra == "([^"]+)"')
Graph = dict[str, set[str]]
"""Canonical names, and what each needs; the bridge itself is the empty name."""
PIN = re.compile(r"^([\w.-]+)==([\w.+-]+)(?: ; ([^\\\n]+?))? \\$", re.MULTILINE)


def document(root: Path, version: str, wheel: Path) -> str:
    """The document, as JSON, of the release with this wheel.

    Its time is SOURCE_DATE_EPOCH, and its serial number follows from the wheel, so that it can be made again.
    """
    with zipfile.ZipFile(wheel) as opened:
        (name,) = (name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
        own = email.message_from_bytes(opened.read(name))
    lock = PIN.findall((root / "requirements.lock").read_text())
    extras = [extra for extra in own.get_all("Provides-Extra") or [] if extra != DEVELOPMENT]
    required, needs = _graph(own, set()), _graph(own, set(extras))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    bridge = _bridge(own, version, digest)
    bom = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_OID, digest),
        metadata=BomMetaData(
            component=bridge, timestamp=datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC)
        ),
    )
    components = [_component(canonicalize_name(name), *rest) for name, *rest in lock]
    for component in components:
        component.scope = _scope(component.name, required, needs)
    bom.components.update(components)
    for name, parent in (("", bridge), *((component.name, component) for component in components)):
        bom.register_dependency(parent, [each for each in components if each.name in needs.get(name, ())])
    return str(JsonV1Dot6(bom).output_as_string(indent=2)) + "\n"


def _bridge(own: email.message.Message, version: str, digest: str) -> Component:
    addresses = [own["Home-page"]] if own["Home-page"] else []
    return Component(
        type=ComponentType.APPLICATION,
        name=own["Name"],
        version=version,
        bom_ref=own["Name"],
        description=own["Summary"],
        licenses=_licenses(own),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        external_references=[
            ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(url)) for url in addresses
        ],
    )


def _component(name: str, version: str, marker: str) -> Component:
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        bom_ref=f"{name}@{version}",
        purl=PackageURL("pypi", name=name, version=version),
        licenses=_licenses(_metadata(name)),
        properties=[Property(name="wcpay-bridge:only-if", value=marker)] if marker else [],
    )


def _scope(name: str, required: Graph, needs: Graph) -> ComponentScope:
    if name in required:
        return ComponentScope.REQUIRED
    return ComponentScope.OPTIONAL if name in needs else ComponentScope.EXCLUDED


def _metadata(name: str) -> email.message.Message:
    """Of an installed package; empty for one that is for another platform only."""
    try:
        return metadata(name)  # type: ignore[return-value]
    except PackageNotFoundError:
        return email.message.Message()


def _graph(own: email.message.Message, extras: set[str]) -> Graph:
    """What the bridge with these extras, and each package that this brings, needs on some platform or other."""
    graph: Graph = {}
    asked, waiting = {"": extras}, [""]
    while waiting:
        name = waiting.pop()
        needs = graph.setdefault(name, set())
        for requirement in _requirements(_metadata(name) if name else own, asked[name]):
            needs.add(need := canonicalize_name(requirement.name))
            if need not in asked or requirement.extras - asked[need]:
                asked.setdefault(need, set()).update(requirement.extras)
                waiting.append(need)
    return graph


def _requirements(package: email.message.Message, extras: set[str]) -> Iterator[Requirement]:
    """Those without an extra, and those of the extras."""
    for requirement in map(Requirement, package.get_all("Requires-Dist") or []):
        condition = EXTRA.search(str(requirement.marker or ""))
        if condition is None or condition[1] in extras:
            yield requirement


def _licenses(package: email.message.Message) -> list[LicenseExpression | DisjunctiveLicense]:
    """As the package tells it: an SPDX expression, a name, or the last word of a classifier."""
    if expression := package["License-Expression"]:
        return [LicenseExpression(expression)]
    classifiers = package.get_all("Classifier") or []
    names = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License :: ")]
    if (stated := package["License"]) and "\n" not in stated:
        names = [stated]
    return [DisjunctiveLicense(name=name) for name in names]
