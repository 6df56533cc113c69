package toolcall

import "strings"

// spelling is how calls are written so that the syntax's reader reads them, as the template does it. In the text of a call {name},
// {arguments}, {number} and {id} stand for what differs.
type spelling struct {
	sign      string // of the template that wants it; "": any
	open      string // before all calls
	call      string
	between   string
	close     string
	arguments []string // the directive of the arguments' grammar, with its texts; nil: an object of JSON
	single    bool     // there is never more than one call
}

// named is how most write a call as an object.
const named = `{"name": "{name}", "arguments": {arguments}}`

// listOf is calls as a list of objects.
func listOf(open, call, close string) []spelling {
	return []spelling{{open: open + "[", call: call, between: ", ", close: "]" + close}}
}

// spelled gives the spelling of marked arguments. begin, middle and end are a call's marks around its name and behind its arguments.
func (m xmlMarks) spelled(open, begin, named, end, between, close string, argument [4]string, also ...string) []spelling {
	texts := append([]string{"marked"}, argument[0], argument[1], argument[3], argument[2], argument[3], m.close, m.end, m.argument)
	return []spelling{{open: open, call: begin + "{name}" + named + "{arguments}" + end, between: between, close: close, arguments: append(texts, also...)}}
}

var (
	gemmaSpelling = []spelling{{call: "<|tool_call>call:{name}{arguments}<tool_call|>", arguments: []string{"quoted", `<|"|>`}}}

	functionGemmaSpelling = []spelling{{call: "<start_function_call>call:{name}{arguments}<end_function_call>", arguments: []string{"quoted", "<escape>"}}}

	mistralSpelling = append([]spelling{
		{sign: "[CALL_ID]", call: "[TOOL_CALLS]{name}[CALL_ID]{id}[ARGS]{arguments}"},
		{sign: "[ARGS]", call: "[TOOL_CALLS]{name}[ARGS]{arguments}"},
	}, listOf("[TOOL_CALLS]", named, "")...)

	lfm2Spelling = []spelling{{open: "<|tool_call_start|>[", call: pythonSpelling, between: ", ", close: "]<|tool_call_end|>", arguments: keywords}}

	deepSeekSpelling = []spelling{
		{sign: "```json", open: "<｜tool▁calls▁begin｜>", call: "<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```json\n{arguments}\n```<｜tool▁call▁end｜>",
			between: "\n", close: "<｜tool▁calls▁end｜>"},
		{open: "<｜tool▁calls▁begin｜>", call: "<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{arguments}<｜tool▁call▁end｜>", close: "<｜tool▁calls▁end｜>"},
	}

	dsmlSpelling = append(dsmlSpelled("function_calls"), dsmlSpelled("tool_calls")...)

	kimiSpelling = []spelling{{open: "<|tool_calls_section_begin|>",
		call: "<|tool_call_begin|>functions.{name}:{number}<|tool_call_argument_begin|>{arguments}<|tool_call_end|>", close: "<|tool_calls_section_end|>"}}

	qwenCoderSpelling = qwenCoder.spelled("", "<tool_call>\n<function=", ">\n", "</function>\n</tool_call>", "\n", "",
		[4]string{"<parameter=", ">\n", ">\n", "\n</parameter>\n"})

	seedSpelling = seed.spelled("", "<seed:tool_call>\n<function=", ">\n", "</function>\n</seed:tool_call>", "\n", "",
		[4]string{"<parameter=", ">", ">", "</parameter>\n"})

	miniMaxSpelling = miniMax.spelled("<minimax:tool_call>\n", `<invoke name="`, "\">\n", "</invoke>\n", "", "</minimax:tool_call>",
		[4]string{`<parameter name="`, `">`, `">`, "</parameter>\n"})

	miniCPMSpelling = miniCPM.spelled("", `<function name="`, `">`, "</function>", "\n", "",
		[4]string{`<param name="`, `">`, `">`, "</param>"}, "<![CDATA[")

	hunyuanSpelling = hunyuan.spelled("<tool_calls:opensource>\n", "<tool_call:opensource>", "<tool_sep:opensource>\n", "</tool_call:opensource>\n", "", "</tool_calls:opensource>",
		[4]string{"<arg_key:opensource>", "</arg_key:opensource>\n<arg_value:opensource>", "</arg_key:opensource>\n<arg_value:opensource>", "</arg_value:opensource>\n"})

	glmSpelling = append(
		signed("</arg_key><arg_value>", glm.spelled("", "<tool_call>", "", "</tool_call>", "", "", [4]string{"<arg_key>", "</arg_key><arg_value>", "</arg_key><arg_value>", "</arg_value>"})),
		glm.spelled("", "<tool_call>", "\n", "</tool_call>", "\n", "", [4]string{"<arg_key>", "</arg_key>\n<arg_value>", "</arg_key>\n<arg_value>", "</arg_value>\n"})...)

	phiSpelling = append(signed("functools[", listOf("functools", named, "")), listOf("<|tool_call|>", named, "<|/tool_call|>")...)

	cohereSpelling = []spelling{{open: "<|START_ACTION|>[\n    ", call: `{"tool_call_id": "{number}", "tool_name": "{name}", "parameters": {arguments}}`, between: ",\n    ",
		close: "\n]<|END_ACTION|>"}}

	gigaChatSpelling = []spelling{{call: "<|function_call|>" + named, single: true}}

	toolCallsSpelling = append(signed("<tool_calls>[", listOf("<tool_calls>", named, "</tool_calls>")),
		spelling{open: "<tool_calls>\n", call: named, between: "\n", close: "\n</tool_calls>"})

	hermesSpelling = []spelling{{call: "<tool_call>\n" + named + "\n</tool_call>", between: "\n"}}

	olmoSpelling = []spelling{{open: "<function_calls>", call: pythonSpelling, between: "\n", close: "</function_calls>", arguments: keywords}}

	functionarySpelling = []spelling{{call: "<function={name}>{arguments}</function>"}}

	pythonicSpelling = []spelling{{open: "[", call: pythonSpelling, between: ", ", close: "]", arguments: keywords}}

	llamaSpelling = []spelling{{call: `{"name": "{name}", "parameters": {arguments}}`, single: true}}

	keywords = []string{"arguments"}
)

const pythonSpelling = "{name}({arguments})"

func dsmlSpelled(around string) []spelling {
	between := [2]string{`" string="true">`, `" string="false">`}
	return signed("<｜DSML｜"+around, dsml.spelled("<｜DSML｜"+around+">\n", `<｜DSML｜invoke name="`, "\">\n", "</｜DSML｜invoke>\n", "", "</｜DSML｜"+around+">",
		[4]string{`<｜DSML｜parameter name="`, between[0], between[1], "</｜DSML｜parameter>\n"}))
}

// signed has spellings only for templates that hold a text.
func signed(sign string, list []spelling) []spelling {
	for i := range list {
		list[i].sign = sign
	}
	return list
}

// As has the format write calls as a template does, where its syntax has several ways.
func (f Format) As(template string) Format {
	if f.syntax != nil {
		f.spelling = f.syntax.spellingOf(template)
	}
	return f
}

// spellingOf is the spelling that a template wants, or that of most.
func (s *syntax) spellingOf(template string) *spelling {
	for i := range s.spelled {
		if s.spelled[i].sign == "" || strings.Contains(template, s.spelled[i].sign) {
			return &s.spelled[i]
		}
	}
	if len(s.spelled) == 0 {
		return nil
	}
	return &s.spelled[len(s.spelled)-1]
}
