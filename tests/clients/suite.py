"""What the openai client for Python may expect of `quire serve`: python suite.py URL MODEL ASSISTANT. It says what suite.js says."""

import asyncio
import base64
import json
import math
import os
import struct
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import openai
import pydantic

URL, MODEL, ASSISTANT = sys.argv[1:4]
client = openai.OpenAI(base_url=URL, api_key=os.environ.get("QUIRE_API_KEY", "none"), max_retries=0)
STORY = [{"role": "user", "content": "Tell me a story about a fox."}]
WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Gives the weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}


def ask(**more):
    return client.chat.completions.create(**{"model": MODEL, "messages": STORY, "temperature": 0, "max_completion_tokens": 8, **more})


def told(content, **more):
    return client.chat.completions.create(model=ASSISTANT, messages=[{"role": "user", "content": content}], temperature=0, **more)


def text_of(chunks, index=0):
    return "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices if c.index == index)


def fails(call, status, **fields):
    try:
        call()
    except openai.APIStatusError as e:
        assert e.status_code == status, (e.status_code, e.message)
        for name, want in fields.items():
            assert str(getattr(e, name)).startswith(want), (name, getattr(e, name), e.message)
        return
    raise AssertionError("it did not fail")


def test_chat():
    got = ask()
    assert got.object == "chat.completion" and got.choices[0].message.role == "assistant" and got.choices[0].finish_reason == "length"
    assert len(got.choices[0].message.content) > 8
    assert got.usage.completion_tokens == 8 and got.usage.total_tokens == got.usage.prompt_tokens + 8


def test_stream():
    whole = ask().choices[0].message.content
    chunks = list(ask(stream=True, stream_options={"include_usage": True}))
    assert text_of(chunks) == whole
    assert chunks[0].choices[0].delta.role == "assistant" and chunks[-2].choices[0].finish_reason == "length"
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 8


def test_choices_and_seeds():
    a, b = ask(n=3, temperature=1.5, seed=5), list(ask(n=3, temperature=1.5, seed=5, stream=True))
    assert [text_of(b, c.index) for c in a.choices] == [c.message.content for c in a.choices]
    assert ask(temperature=1.5, seed=1).choices[0].message.content == ask(temperature=1.5, seed=1).choices[0].message.content


def test_stop():
    whole = ask(max_completion_tokens=24).choices[0].message.content
    word = whole.split()[2]
    for stop in (word, [word], ["@@@", word]):
        choice = ask(stop=stop, max_completion_tokens=24).choices[0]
        assert (choice.message.content, choice.finish_reason) == (whole[:whole.index(word)], "stop")


def test_logprobs():
    choice = ask(logprobs=True, top_logprobs=3).choices[0]
    assert len(choice.logprobs.content) == 8
    for token in choice.logprobs.content:
        assert len(token.top_logprobs) == 3 and token.token == token.top_logprobs[0].token and token.logprob <= 0
    assert bytes(b for t in choice.logprobs.content for b in t.bytes).decode() == choice.message.content


def test_extensions():
    got = ask(extra_body={"top_k": 5, "min_p": 0.1, "repetition_penalty": 1.1, "cache_salt": "a", "priority": 1, "deadline": 600})
    assert got.usage.completion_tokens == 8
    assert any("colour" in w for w in ask(extra_body={"colour": "red"}).warnings)
    assert len(ask(extra_body={"beams": 3}).choices) == 1


def test_tools():
    message = told("weather", tools=[WEATHER]).choices[0].message
    call = message.tool_calls[0]
    assert message.content is None and call.function.name == "get_weather" and json.loads(call.function.arguments) == {"city": "Paris"}
    pieces = [d for c in told("weather", tools=[WEATHER], stream=True) for d in c.choices[0].delta.tool_calls or []]
    assert "".join(d.function.arguments or "" for d in pieces) == call.function.arguments
    answer = client.chat.completions.create(model=ASSISTANT, temperature=0, tools=[WEATHER], messages=[
        {"role": "user", "content": "weather"}, message.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": call.id, "content": "sunny"}])
    assert answer.choices[0].message.content == "It is sunny."


def test_forms():
    class Side(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="forbid")
        side: Literal["left", "right"]
        sure: bool

    asked = {"model": ASSISTANT, "messages": [{"role": "user", "content": "side"}], "temperature": 0, "extra_body": {"reasoning_format": "none"}}
    parsed = client.chat.completions.parse(**asked, response_format=Side).choices[0].message.parsed
    assert isinstance(parsed, Side)
    assert client.responses.parse(model=ASSISTANT, input="side", temperature=0, store=False, text_format=Side, extra_body={"reasoning_format": "none"}).output_parsed.side in ("left", "right")
    tool = openai.pydantic_function_tool(Side, name="pick")
    message = client.chat.completions.parse(**asked, tools=[tool], tool_choice="required", parallel_tool_calls=False).choices[0].message
    assert isinstance(message.tool_calls[0].function.parsed_arguments, Side)
    assert told("sunny", extra_body={"structured_outputs": {"choice": ["yes", "no"]}, "reasoning_format": "none"}).choices[0].message.content in ("yes", "no")
    fails(lambda: told("sunny", tools=[tool], tool_choice="required", extra_body={"regex": "a"}), 400, param="tool_choice")


def test_reasoning():
    message = told("think").choices[0].message
    assert (message.content.strip(), message.reasoning_content.strip()) == ("Four.", "Two and two.")


def test_completions():
    whole = client.completions.create(model=MODEL, prompt="Once upon a time", temperature=0, max_tokens=8)
    chunks = client.completions.create(model=MODEL, prompt="Once upon a time", temperature=0, max_tokens=8, stream=True)
    assert "".join(c.choices[0].text for c in chunks) == whole.choices[0].text
    many = client.completions.create(model=MODEL, prompt=["Once", "The hen"], n=2, max_tokens=3, echo=True)
    assert [c.index for c in many.choices] == [0, 1, 2, 3] and many.choices[3].text.startswith("The hen")


def test_embeddings():
    one = client.embeddings.create(model=MODEL, input="A fox").data[0].embedding
    assert abs(math.hypot(*one) - 1) < 1e-3
    packed = client.embeddings.create(model=MODEL, input=["A fox", "A hen"], encoding_format="base64").data[0].embedding
    values = struct.unpack(f"<{len(one)}f", base64.b64decode(packed))
    assert all(abs(x - y) < 1e-3 for x, y in zip(one, values))


def test_responses():
    asked = {"model": MODEL, "input": "Tell me a story.", "temperature": 0, "max_output_tokens": 16, "store": False}
    whole = client.responses.create(**asked)
    assert whole.status == "incomplete" and len(whole.output_text) > 8
    events = list(client.responses.create(**asked, stream=True))
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == whole.output_text
    with client.responses.stream(model=ASSISTANT, input="sunny", store=False) as stream:  # one that completes: the helper knows no other end
        assert stream.get_final_response().output_text == "It is sunny."


def test_models():
    assert MODEL in [m.id for m in client.models.list()] and client.models.retrieve(MODEL).id == MODEL


def test_errors():
    fails(lambda: ask(temperature=3), 400, param="temperature", type="invalid_request_error")
    fails(lambda: ask(messages=[]), 400, param="messages")
    fails(lambda: ask(response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "fox"}}}), 400, param="response_format")
    fails(lambda: ask(model="none"), 404, code="model_not_found")
    fails(lambda: ask(messages=[{"role": "user", "content": "The fox ran. " * 3000}]), 400, code="context_length_exceeded")


def test_raw():
    raw = client.chat.completions.with_raw_response.create(model=ASSISTANT, messages=[{"role": "user", "content": "sunny"}], temperature=0)
    assert raw.headers["content-type"] == "application/json" and raw.request_id.startswith("req_")
    assert raw.parse().choices[0].message.content == "It is sunny." and raw.parse()._request_id == raw.request_id
    with client.chat.completions.with_streaming_response.create(model=ASSISTANT, messages=[{"role": "user", "content": "sunny"}], stream=True) as raw:
        lines = [line for line in raw.iter_lines() if line]
    assert all(line.startswith("data: ") for line in lines) and lines[-1] == "data: [DONE]"


def test_calls_at_once():
    both = [WEATHER, {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}}}}]
    message = told("both", tools=both).choices[0].message
    assert [(c.function.name, json.loads(c.function.arguments)) for c in message.tool_calls] == [("get_weather", {"city": "Rome"}), ("get_time", {"zone": "CET"})]
    with client.chat.completions.stream(model=ASSISTANT, messages=[{"role": "user", "content": "both"}], tools=both, temperature=0) as stream:
        done = [e for e in stream if e.type == "tool_calls.function.arguments.done"]
        assert [(e.index, e.name) for e in done] == [(0, "get_weather"), (1, "get_time")]
        assert stream.get_final_completion().choices[0].finish_reason == "tool_calls"
    answers = [{"role": "tool", "tool_call_id": c.id, "content": text} for c, text in zip(message.tool_calls, ("mild", "sunny"))]
    got = client.chat.completions.create(model=ASSISTANT, temperature=0, tools=both, messages=[{"role": "user", "content": "both"}, message, *answers])
    assert got.choices[0].message.content == "It is sunny."
    assert len(told("both", tools=both, parallel_tool_calls=False).choices[0].message.tool_calls) == 1


def test_response_calls():
    tools = [{"type": "function", "strict": False, **WEATHER["function"]}]
    asked = {"model": ASSISTANT, "temperature": 0, "store": False, "tools": tools}
    with client.responses.stream(input="weather", **asked) as stream:
        kinds = [e.type for e in stream]
        final = stream.get_final_response()
    call = final.output[0]
    assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "get_weather", {"city": "Paris"})
    assert kinds.count("response.function_call_arguments.done") == 1 and kinds[-1] == "response.completed"
    given = [{"role": "user", "content": "weather"}, *final.output, {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}]
    assert client.responses.create(input=given, instructions="Be brief.", **asked).output_text == "It is sunny."
    for name, value in {"previous_response_id": "resp_1", "background": True, "conversation": "conv_1"}.items():
        fails(lambda: client.responses.create(input="sunny", **{**asked, name: value}), 400, param=name)
    fails(lambda: client.responses.retrieve("resp_1"), 404, code="unknown_url")


def test_classes_of_errors():
    for kind, call in [
        (openai.BadRequestError, lambda: ask(temperature=9)), (openai.NotFoundError, lambda: ask(model="none")), (openai.NotFoundError, lambda: client.files.list()),
        (openai.BadRequestError, lambda: client.completions.create(model=MODEL, prompt="A", suffix="B")),
        (openai.BadRequestError, lambda: client.embeddings.create(model=MODEL, input="A", dimensions=3)),
        (openai.APITimeoutError, lambda: client.with_options(timeout=0.02).chat.completions.create(model=MODEL, messages=STORY, max_completion_tokens=200)),
    ]:
        try:
            call()
        except openai.OpenAIError as e:
            assert type(e) is kind, (type(e), e)
        else:
            raise AssertionError(f"{kind} did not come")


def test_no_token_and_one():
    def complete(**more):
        return client.completions.create(**{"model": MODEL, "prompt": "Once", "temperature": 0, **more})
    none = complete(max_tokens=0)
    assert (none.choices[0].text, none.choices[0].finish_reason, none.usage.completion_tokens) == ("", "length", 0)
    assert complete(max_tokens=1).usage.completion_tokens == 1
    told_back = complete(max_tokens=0, echo=True, logprobs=1).choices[0]
    assert told_back.text == "Once" and told_back.logprobs.token_logprobs[0] is None
    fails(lambda: ask(max_completion_tokens=0), 400, param="max_completion_tokens")


def test_asyncio():
    async def main():
        async with openai.AsyncOpenAI(base_url=URL, api_key=client.api_key, max_retries=0) as c:
            async def one(stream):
                got = await c.chat.completions.create(model=ASSISTANT, messages=[{"role": "user", "content": "sunny"}], temperature=0, stream=stream)
                return "".join([x.choices[0].delta.content or "" async for x in got]) if stream else got.choices[0].message.content
            assert await asyncio.gather(*(one(i % 2 == 0) for i in range(8))) == ["It is sunny."] * 8
            task = asyncio.create_task(c.chat.completions.create(model=MODEL, messages=STORY, max_completion_tokens=200))
            await asyncio.sleep(0.05)
            task.cancel()
            assert [m.id async for m in c.models.list()]
    asyncio.run(main())


def test_leaving():
    for _ in range(3):
        with ask(stream=True, max_completion_tokens=200) as stream:
            next(iter(stream))
    assert ask().usage.completion_tokens == 8


def test_32_at_once():
    ends = {"think": "Four.", "sunny": "It is sunny."}
    start = threading.Barrier(32)

    def one(i):
        word = ("think", "sunny")[i % 2]
        start.wait()
        got = told(word, stream=i % 4 < 2)
        text = text_of(got) if i % 4 < 2 else got.choices[0].message.content
        assert text.strip() == ends[word], text

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(one, range(32)))


def main():
    wrong = 0
    cases = [(name, f) for name, f in globals().items() if name.startswith("test_")]
    for name, case in cases:
        try:
            case()
        except Exception:
            wrong += 1
            print(f"✗ {name}\n{traceback.format_exc()}")
    print(f"{len(cases) - wrong} right, {wrong} wrong")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
