"""What ollama's Python client does against quire serve --ollama. usage: ollama_client.py URL"""
import asyncio
import json
import sys

import ollama

url = sys.argv[1]
client = ollama.Client(host=url)
ask = [{"role": "user", "content": "Tell me a story about a fox."}]
greedy = {"temperature": 0, "num_predict": 12}

listed = client.list()
assert [m.model for m in listed.models] == ["tales"], listed
assert listed.models[0].details.format == "gguf" and listed.models[0].size > 1_000_000
shown = client.show("tales")
assert shown.details.family == "llama" and "completion" in shown.capabilities, shown
assert [m.model for m in client.ps().models] == ["tales"]

whole = client.chat("tales", ask, options=greedy)
assert whole.done and whole.done_reason == "length" and whole.eval_count == 12 and whole.prompt_eval_count > 0, whole
assert whole.message.role == "assistant" and whole.message.content
pieces = list(client.chat("tales:latest", ask, options=greedy, stream=True))
assert len(pieces) > 5 and pieces[-1].done and not pieces[0].done
assert "".join(p.message.content for p in pieces) == whole.message.content

said = client.generate("tales", ask[0]["content"], options=greedy)
assert said.response == whole.message.content and said.done_reason == "length"
assert "".join(p.response for p in client.generate("tales", "Once upon", raw=True, options=greedy, stream=True))
assert client.generate("tales").done_reason == "load"
assert client.generate("tales", "The end.", options={**greedy, "stop": ["."], "seed": 7, "top_k": 5, "top_p": 0.9}).done

kinds = {"type": "object", "properties": {"kind": {"enum": ["fox", "hen"]}}, "required": ["kind"], "additionalProperties": False}
told = client.chat("tales", ask, format=kinds, options={"temperature": 0})
assert json.loads(told.message.content)["kind"] in ("fox", "hen") and told.done_reason == "stop", told
assert client.generate("tales", "A list:", format="json", options=greedy).response.lstrip().startswith("{")

embedded = client.embed("tales", ["a fox", "a kite"])
assert len(embedded.embeddings) == 2 and len(embedded.embeddings[0]) > 10
one = client.embeddings("tales", "a fox")
assert all(abs(a - b) < 1e-4 for a, b in zip(one.embedding, embedded.embeddings[0]))

for bad, status in [
    (lambda: client.chat("none", ask), 404),
    (lambda: client.show("none"), 404),
    (lambda: client.chat("tales", ask, options={"temperature": -1}), 400),
    (lambda: client.chat("tales", ask, format={"type": "tale"}), 400),
    (lambda: client.generate("tales", "x", suffix="y"), 400),
    (lambda: client.pull("tales"), 404),
    (lambda: list(client.chat("none", ask, stream=True)), 404),
]:
    try:
        bad()
    except ollama.ResponseError as e:
        assert e.status_code == status and e.error, (e.status_code, e.error)
    else:
        raise AssertionError(f"{status} was expected")


async def together():
    many = ollama.AsyncClient(host=url)
    answers = await asyncio.gather(*(many.chat("tales", ask, options=greedy) for _ in range(32)))
    assert {a.message.content for a in answers} == {whole.message.content}, "32 at once"
    async for piece in await many.chat("tales", ask, options=greedy, stream=True):
        pass
    assert piece.done


asyncio.run(together())
print("all right")
