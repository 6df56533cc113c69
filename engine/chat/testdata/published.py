#!/usr/bin/env python3
"""Renders the chat templates of published models, which llama-cpp-python's sdist holds, with Jinja2 as Hugging Face transformers sets
it up, over many conversations. Writes JSON to stdout for TestPublishedTemplates: {"clock", "templates": [{"name", "template", "cases":
[{"name", "vars", "text" or "fails"}]}]}.

usage: published.py [FOLDER]    FOLDER holds *.jinja; without it the sdist is downloaded by pip
"""
import glob
import json
import os
import sys
import tempfile

from jinja import CLOCK, render
from sdist import download

TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "description": "The weather at a place & time.\nIn °C.", "parameters": {
        "type": "object", "properties": {
            "place": {"type": "string", "description": "A city, e.g. \"Zürich\""},
            "days": {"type": "integer", "description": "How many", "default": 3, "minimum": 1},
            "units": {"type": "string", "enum": ["C", "F"]},
            "where": {"type": "object", "properties": {"lat": {"type": "number"}, "lon": {"type": ["number", "null"]}}},
            "tags": {"type": "array", "items": {"type": "string"}}},
        "required": ["place"]}}},
    {"type": "function", "function": {"name": "now", "description": "The time.", "parameters": {"type": "object", "properties": {}}}},
]


def call(name, arguments, ident="call00001"):
    return {"id": ident, "type": "function", "function": {"name": name, "arguments": arguments}}


ARGUMENTS = {"place": "Zürich <b>", "days": 3, "where": {"lat": 1.5, "lon": None}, "tags": ["a", "b'c"], "now": True, "big": 2**70}
U = {"role": "user", "content": "Hello, what's <up>?"}
A = {"role": "assistant", "content": "Not much."}
S = {"role": "system", "content": "You are terse.\n"}
T = {"role": "tool", "name": "get_weather", "tool_call_id": "call00001", "content": "{\"t\": 21}"}

CONVERSATIONS = {
    "none": [],
    "user": [U],
    "system": [S, U],
    "system alone": [S],
    "turns": [U, A, {"role": "user", "content": "And now?"}],
    "system and turns": [S, U, A, {"role": "user", "content": " Ünïcödé 日本 🦊 "}],
    "ends with the assistant": [S, U, A],
    "two of the user": [U, U],
    "assistant first": [A, U],
    "developer": [{"role": "developer", "content": "Be brief."}, U],
    "unknown role": [{"role": "narrator", "content": "Once"}, U],
    "empty text": [{"role": "user", "content": ""}],
    "white space": [{"role": "user", "content": "  a\n\n b \t"}, {"role": "assistant", "content": "\n c \n"}, U],
    "no content": [U, {"role": "assistant"}, U],
    "null content": [U, {"role": "assistant", "content": None}, U],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "Hi "}, {"type": "text", "text": "there"}]}],
    "picture": [{"role": "user", "content": [{"type": "text", "text": "Look:"}, {"type": "image"}, {"type": "image_url", "image_url": {"url": "u"}}]}],
    "system parts": [{"role": "system", "content": [{"type": "text", "text": "Sys"}]}, U, {"role": "assistant", "content": [{"type": "text", "text": "A"}]}, U],
    "reasoning": [U, {"role": "assistant", "content": "Four.", "reasoning_content": "2+2\nis 4"}, U],
    "reasoning at the end": [U, {"role": "assistant", "content": "Four.", "reasoning_content": "2+2"}],
    "thinking": [U, {"role": "assistant", "content": "Four.", "thinking": "2+2"}, U],
    "reasoning inside": [U, {"role": "assistant", "content": "<think>\n2+2\n</think>\n\nFour."}, U],
    "calls": [U, {"role": "assistant", "content": None, "tool_calls": [call("get_weather", ARGUMENTS)]}, T],
    "calls without content": [U, {"role": "assistant", "tool_calls": [call("get_weather", ARGUMENTS)]}, T, {"role": "assistant", "content": "21."}, U],
    "calls with text": [S, U, {"role": "assistant", "content": "Let me see.", "tool_calls": [call("get_weather", ARGUMENTS)]}, T, A],
    "calls as text": [U, {"role": "assistant", "content": "", "tool_calls": [call("get_weather", json.dumps(ARGUMENTS))]}, T],
    "two calls": [U, {"role": "assistant", "content": "", "tool_calls": [call("get_weather", ARGUMENTS), call("now", {}, "call00002")]},
                  T, {"role": "tool", "name": "now", "tool_call_id": "call00002", "content": "12:00"}, {"role": "assistant", "content": "Done."}, U],
    "calls and reasoning": [U, {"role": "assistant", "content": "", "reasoning_content": "Ask.", "tool_calls": [call("get_weather", {"place": "x"})]}, T],
    "bare call": [U, {"role": "assistant", "content": "", "tool_calls": [{"name": "now", "arguments": {}}]}, {"role": "tool", "content": "12:00"}],
    "result as object": [U, {"role": "assistant", "content": "", "tool_calls": [call("now", {})]}, {"role": "tool", "name": "now", "content": {"t": [1, 2.5, None]}}],
    "result as parts": [U, {"role": "assistant", "content": "", "tool_calls": [call("now", {})]}, {"role": "tool", "tool_call_id": "call00001", "content": [{"type": "text", "text": "12"}]}],
    "result alone": [U, T],
}

SETTINGS = {
    "": {"add_generation_prompt": True},
    "no prompt": {"add_generation_prompt": False},
    "tools": {"add_generation_prompt": True, "tools": TOOLS},
    "one tool, no prompt": {"add_generation_prompt": False, "tools": TOOLS[:1]},
    "thinking": {"add_generation_prompt": True, "enable_thinking": True, "thinking": True, "reasoning_effort": "high", "tools": TOOLS},
    "no thinking": {"add_generation_prompt": True, "enable_thinking": False, "thinking": False, "reasoning_effort": "low"},
    "documents": {"add_generation_prompt": True, "documents": [{"title": "T", "text": "Text"}], "tools": []},
}


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = sys.argv[1] if len(sys.argv) > 1 else download(temporary)
        templates = []
        for path in sorted(glob.glob(os.path.join(folder, "*.jinja"))):
            with open(path, encoding="utf-8") as file:
                template, cases = file.read(), []
            for name, messages in CONVERSATIONS.items():
                for setting, more in SETTINGS.items():
                    variables = {"messages": messages, "bos_token": "<s>", "eos_token": "</s>", "tools": None, "documents": None, **more}
                    out = render(template, variables)
                    out.pop("template")
                    cases.append({"name": name + "/" + setting, "vars": variables, **out})
            templates.append({"name": os.path.basename(path), "template": template, "cases": cases})
    json.dump({"clock": CLOCK, "templates": templates}, sys.stdout)


main()
