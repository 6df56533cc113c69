#!/bin/sh
# Mistral's models take a conversation only if its tool calls have ids of nine letters and digits.
#
# mistral-common 1.12.0, which writes the prompts of Mistral's models.
# Clients of the OpenAI API know ids such as call_AbCdEfGhIjKlMnOpQrStUvWx, and servers make them in that form. A server whose model
# is Mistral's must make others: the client sends the id back with the tool's result, and the next turn is refused, by mistral-common
# and by the models' chat templates in GGUF files alike.
#
# Output seen:
#   call_AbCdEfGhIjKlMnOpQrStUvWx: InvalidFunctionCallException
#   AbCdEf123: taken
#   confirmed
#
# Fails when the first is taken, or the second refused.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check mistral_common==1.12.0
cat >ids.py <<'END'
import sys

from mistral_common.protocol.instruct.messages import AssistantMessage, ToolMessage, UserMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.tool_calls import FunctionCall, ToolCall
from mistral_common.protocol.instruct.validator import MistralRequestValidatorV3


def outcome(ident):
    call = ToolCall(id=ident, function=FunctionCall(name="now", arguments="{}"))
    messages = [UserMessage(content="What time is it?"), AssistantMessage(content=None, tool_calls=[call]),
                ToolMessage(tool_call_id=ident, name="now", content="12:00")]
    try:
        MistralRequestValidatorV3().validate_request(ChatCompletionRequest(messages=messages))
    except Exception as error:
        return type(error).__name__
    return "taken"


ids = ["call_AbCdEfGhIjKlMnOpQrStUvWx", "AbCdEf123"]
for ident in ids:
    print(f"{ident}: {outcome(ident)}")
same = outcome(ids[0]) == "InvalidFunctionCallException" and outcome(ids[1]) == "taken"
print("confirmed" if same else "CHANGED: ids of tool calls are held to another form")
sys.exit(0 if same else 1)
END
timeout 300 venv/bin/python ids.py
