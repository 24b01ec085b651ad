"""What a namespace needs, on a server that was started without it and on the embedded one."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

import stack
from settings import Settings
from stack import programs
from stack.bootstrap import ensure_search_attributes
from stack.errors import StackError
from stack.search_attributes import SEARCH_ATTRIBUTES


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    environment = await WorkflowEnvironment.start_local(dev_server_existing_path=str(programs.temporal()))
    yield environment.client
    await environment.shutdown()


async def test_search_attributes_are_registered_once(client: Client) -> None:
    """The first call registers all, the second none."""
    assert set(await ensure_search_attributes(client)) == set(SEARCH_ATTRIBUTES)
    assert await ensure_search_attributes(client) == ()


async def test_a_search_attribute_of_another_type_is_refused(client: Client) -> None:
    """A clash is an error to be mended by a person, not to be overwritten."""
    address = client.service_client.config.target_host
    create = [str(programs.temporal()), "operator", "search-attribute", "create", "--address", address]
    process = await asyncio.create_subprocess_exec(*create, "--name", "StewardKind", "--type", "Int")
    assert await process.wait() == 0
    with pytest.raises(StackError, match="StewardKind exists in namespace default with another type"):
        await ensure_search_attributes(client)


async def test_the_embedded_server_keeps_finished_runs(settings: Settings) -> None:
    """For 90 days, where the server's own default is one; and it has the search attributes from its start."""
    up = await asyncio.to_thread(stack.start, settings, worker=False)
    client = await Client.connect(up.temporal_address)
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert described.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=90)
    assert await ensure_search_attributes(client) == ()
