#!/usr/bin/env python3
"""Writes templates.json: calls and reasoning as the chat templates of published models render them by Jinja2, from which the parsers
must read the same calls. The templates themselves are in llama-cpp-python's sdist.

usage: templates.py [FOLDER]    FOLDER holds *.jinja; without it the sdist is downloaded by pip. Needs jinja2 3.1.6.
"""
import glob
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../chat/testdata"))
from jinja import render  # noqa: E402
from sdist import download  # noqa: E402


def tool(name, properties):
    return {"type": "function", "function": {"name": name, "description": "What it does.", "parameters": {
        "type": "object", "properties": {k: {"type": t, "description": k} for k, t in properties.items()}, "required": list(properties)[:1]}}}


TOOLS = [tool("get_weather", {"place": "string", "days": "integer", "where": "object", "tags": "array", "exact": "boolean"}),
         tool("now", {}), tool("write_file", {"path": "string", "text": "string"})]

CALLS = {
    "one": [("get_weather", {"place": "Rome", "days": 3})],
    "none": [("now", {})],
    "several": [("get_weather", {"place": "Rome"}), ("now", {}), ("get_weather", {"place": "Oslo", "exact": False})],
    "nested": [("get_weather", {"place": "", "where": {"lat": -1.5, "in": {"a": [[1, 2], [], {}]}}, "tags": ["a", "b'c", "d\"e"], "exact": True})],
    "backslash": [("write_file", {"path": "C:\\new\\\"x\"", "text": "\\"})],
    "marks": [("write_file", {"path": "Zürich \"日本\" 🦊", "text": "if (x) { return [1]; }\n\n\t</tool_call> it's </parameter> {'a': 1}"})],
}


def conversation(calls, content, reasoning):
    calls = [{"id": "call0000%d" % i, "type": "function", "function": {"name": name, "arguments": arguments}}
             for i, (name, arguments) in enumerate(calls)]
    message = {"role": "assistant", "content": content, "tool_calls": calls}
    if reasoning:
        message.update(reasoning_content=reasoning, thinking=reasoning, reasoning=reasoning)
    return [{"role": "user", "content": "QUESTION"}, message]


ENDS = ["<|im_end|>", "</s>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|eot|>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>",
        "<seed:eos>", "[e~[", "<|END_OF_TURN_TOKEN|>", "<end_of_sentence>", "<|end_of_text|>", "<|message_sep|>", "<SPECIAL_12>", "<sep>",
        "<|role_end|>", "</assistant>", "<｜hy_eos:opensource｜>", "<|call|>", "<｜Assistant｜>",
        "<|START_THINKING|><|END_THINKING|>", "<|CHATBOT_TOKEN|>", "<|START_OF_TURN_TOKEN|>"]


def ended(text):
    """Leaves out what ends a turn, which a model's text does not have."""
    while True:
        text = text.rstrip()
        end = next((e for e in ENDS if text.endswith(e)), None)
        if end is None:
            return text
        text = text[:-len(end)]


def answer(template, messages):
    """Gives the beginning of the assistant's turn, and its text; or nothing, where the template does not render it."""
    variables = {"bos_token": "<s>", "eos_token": "</s>", "tools": TOOLS, "documents": None}
    begun = render(template, {**variables, "messages": messages[:1], "add_generation_prompt": True}).get("text", "")
    whole = render(template, {**variables, "messages": messages, "add_generation_prompt": False}).get("text")
    if whole is None:  # some want arguments as text
        for call in messages[1]["tool_calls"]:
            call["function"]["arguments"] = json.dumps(call["function"]["arguments"], ensure_ascii=False)
        whole = render(template, {**variables, "messages": messages, "add_generation_prompt": False}).get("text")
    if whole is None or "QUESTION" not in whole:
        return None
    begun, whole = begun[begun.rfind("QUESTION"):], whole[whole.rfind("QUESTION"):]
    common = os.path.commonprefix([begun, whole])
    if begun.endswith("Here are my reasoning steps:\n") and messages[1].get("thinking"):  # which turns are shown without later
        return begun[len("QUESTION"):], ended(whole[len(common):])
    if common != begun:  # the prompt begins otherwise than the turn is shown later
        common = common[:max(common.rfind(c) for c in "\n>]") + 1]
    return common[len("QUESTION"):], ended(whole[len(common):])


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = sys.argv[1] if len(sys.argv) > 1 else download(temporary)
        templates = []
        for path in sorted(glob.glob(os.path.join(folder, "*.jinja"))):
            with open(path, encoding="utf-8") as file:
                template, cases = file.read(), []
            for name, calls in CALLS.items():
                for content, reasoning in [("", ""), ("Let me see.", ""), ("", "I ask."), ("Let me see.", "I ask.")][:4 if name == "one" else 1]:
                    got = answer(template, conversation(calls, content, reasoning))
                    if got is None or any(got[1].count(n) < sum(n == m for m, _ in calls) for n, _ in calls):  # some render no call, or one
                        continue
                    prompt, text = got
                    if any(e in text for e in ENDS):  # in another turn
                        continue
                    if any(text == c["text"] and prompt == c["prompt"] for c in cases):
                        continue
                    cases.append({"name": name, "prompt": prompt, "text": text, "calls": [{"name": n, "arguments": a} for n, a in calls],
                                  "content": content if content and content in text else "",
                                  "reasoning": reasoning if reasoning and reasoning in text else ""})
            templates.append({"name": os.path.basename(path)[:-len(".jinja")], "cases": cases})
    tools = [{"name": t["function"]["name"], "parameters": t["function"]["parameters"]} for t in TOOLS]
    text = json.dumps({"tools": tools, "templates": templates}, ensure_ascii=False)
    print(text.replace('{"name": ', '\n{"name": '))


main()
