"""Web servers of a shop, each with the lines that a page gives it for the bridge, and all else for the shop itself."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import requests

from bridge.simulators.certificates import Certificates
from tests.cli.processes import wait_for

NGINX = """
daemon off;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl; ssl_certificate {cert}; ssl_certificate_key {key};
        location / {{ proxy_pass {shop}; }}
        {lines}
    }}
}}
"""
APACHE = """
ServerRoot {folder}
ServerName 127.0.0.1
DefaultRuntimeDir {folder}
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.log
{modules}
{user}
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
    SSLEngine On
    SSLCertificateFile {cert}
    SSLCertificateKeyFile {key}
    {lines}
    ProxyPass "/" "{shop}/"
</VirtualHost>
"""
MODULES = "mpm_event authz_core ssl socache_shmcb headers proxy proxy_http"
CADDY = """
{{
    admin off
    auto_https off
    storage file_system {folder}/caddy
}}
https://127.0.0.1:{port} {{
    tls {cert} {key}
    {lines}
    reverse_proxy {shop}
}}
"""


def nginx(program: str, folder: Path) -> list[str]:
    return [program, "-e", str(folder / "nginx.log"), "-c", str(folder / "nginx.conf")]


def apache(program: str, folder: Path) -> list[str]:
    return [program, "-D", "FOREGROUND", "-f", str(folder / "apache.conf")]


def caddy(program: str, folder: Path) -> list[str]:
    return [program, "run", "--adapter", "caddyfile", "--config", str(folder / "caddy.conf")]


SERVERS: dict[str, tuple[str, Callable[[str, Path], list[str]]]] = {
    "nginx": (NGINX, nginx),
    "apache": (APACHE, apache),
    "caddy": (CADDY, caddy),
}


def start(
    name: str, program: str, folder: Path, port: int, shop: str, lines: str, certificates: Certificates
) -> subprocess.Popen[bytes]:
    """The web server with the page's `lines`, on `port`, in front of what answers for the `shop`. It answers."""
    template, command = SERVERS[name]
    modules = Path(program).resolve().parents[1] / "lib/apache2/modules"
    configuration = template.format(
        folder=folder,
        port=port,
        shop=shop,
        lines=lines,
        cert=certificates.cert_file,
        key=certificates.key_file,
        user="User nobody\nGroup nogroup" if os.getuid() == 0 else "",
        modules="\n".join(f"LoadModule {each}_module {modules}/mod_{each}.so" for each in MODULES.split()),
    )
    (folder / f"{name}.conf").write_text(configuration)
    with (folder / f"{name}.out").open("wb") as out:
        process = subprocess.Popen(
            command(program, folder), stdout=out, stderr=out, env={**os.environ, "HOME": str(folder)}
        )

    def answers() -> bool:
        assert process.poll() is None, (folder / f"{name}.out").read_text()
        try:
            return requests.get(f"https://127.0.0.1:{port}/wp-json/", verify=certificates.ca_file, timeout=20).ok
        except requests.ConnectionError:
            return False

    try:
        wait_for(answers, seconds=60.0)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process
