"""The clients for Python: for each line of stdin, which says where a server is, what `mcp` or `fastmcp` hears of it, as a
line of JSON. Its argument says which of the two."""

import asyncio
import json
import os
import sys


async def walk(questions):
    steps = []
    for step, ask in questions:
        try:
            steps.append({"step": step, "result": plain(await ask())})
        except Exception as error:  # an error is an answer as well
            steps.append({"step": step, "error": [type(error).__name__, str(error)]})
    return steps


def plain(value):
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    return [plain(one) for one in value] if isinstance(value, list) else value


async def ask(client, methods, job):
    capabilities = client.server_capabilities
    said = [client.protocol_version, plain(client.server_info), plain(capabilities), client.instructions]

    async def initialized():
        return said

    def call(name):
        return lambda: methods["call"](name, job["args"])

    questions = [("initialize", initialized)]
    if capabilities.tools is not None:
        questions.append(("tools/list", methods["tools"]))
    if capabilities.prompts is not None:
        questions.append(("prompts/list", methods["prompts"]))
    if capabilities.resources is not None:
        questions.append(("resources/list", methods["resources"]))
        questions.append(("resources/templates/list", methods["templates"]))
    questions.append(("tools/call", call(job["tool"])))
    questions.append(("tools/call of no tool", call(job["none"])))
    return await walk(questions)


def server_of(job, over_stdio):
    """Where the server is: a URL, or what starts it."""
    if "url" in job:
        return job["url"]
    command, *args = job["command"]
    return over_stdio(command, args, {**os.environ, **job["env"]})


async def by_mcp(job):
    from mcp import Client, StdioServerParameters

    def over_stdio(command, args, env):
        return StdioServerParameters(command=command, args=args, env=env)

    async with Client(server_of(job, over_stdio)) as client:
        methods = {
            "tools": client.list_tools,
            "prompts": client.list_prompts,
            "resources": client.list_resources,
            "templates": client.list_resource_templates,
            "call": client.call_tool,
        }
        return await ask(client, methods, job)


async def by_fastmcp(job):
    from fastmcp import Client
    from fastmcp.client.transports import StdioTransport

    def over_stdio(command, args, env):
        return StdioTransport(command, args, env=env, keep_alive=False)

    async with Client(server_of(job, over_stdio)) as client:
        methods = {
            "tools": client.list_tools_mcp,
            "prompts": client.list_prompts_mcp,
            "resources": client.list_resources_mcp,
            "templates": client.list_resource_templates_mcp,
            "call": client.call_tool_mcp,
        }
        return await ask(client, methods, job)


by = {"mcp": by_mcp, "fastmcp": by_fastmcp}[sys.argv[1]]
# What a library prints is no answer.
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    try:
        heard = asyncio.run(by(json.loads(line)))
    except Exception as error:
        heard = {"failed": f"{type(error).__name__}: {error}"}
    print(json.dumps(heard), file=out, flush=True)
