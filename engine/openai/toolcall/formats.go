package toolcall

// syntax is how a family of models writes calls.
type syntax struct {
	name     string
	signs    [][]string    // a template teaches the syntax if it holds all texts of one of these lists
	unlike   string        // but not if it holds this
	open     []string      // marks that begin a call, or several
	marks    []string      // further marks that its reader looks for
	begin    func() reader // reads what follows an opening mark
	messages func() reader // reads everything, in place of open and begin
	bare     bool          // its opening marks are common text: only names of given tools make calls
	thinks   bool          // calls may come amid reasoning, and end it
	thinking string        // a sign of how its models think; "": <think>
	ids      bool          // the model gives calls ids, which its template expects
	idLength int           // of the ids that it expects; 0: any
	spelled  []spelling    // as templates write calls, the first that fits
}

// syntaxes are tried in order.
var syntaxes = []syntax{
	{
		name:     "harmony",
		signs:    [][]string{{"<|channel|>", "<|message|>"}},
		marks:    []string{"<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|end|>", "<|call|>", "<|return|>"},
		messages: func() reader { return &harmony{} },
	},
	{
		name:     "gemma4",
		spelled:  gemmaSpelling,
		thinking: "<|channel>",
		signs:    [][]string{{"<|tool_call>"}},
		open:     []string{"<|tool_call>"},
		marks:    []string{"<tool_call|>", `<|"|>`},
		begin: func() reader {
			return &namedCall{before: []string{"<|tool_call>"}, until: bracesOrParentheses, clean: colonName, dialect: gemma, close: []string{"<tool_call|>"}, empty: []string{"<tool_call|>"}}
		},
	},
	{
		name:    "functiongemma",
		spelled: functionGemmaSpelling,
		signs:   [][]string{{"<start_function_call>"}},
		open:    []string{"<start_function_call>"},
		marks:   []string{"<end_function_call>", "<escape>"},
		begin: func() reader {
			return &namedCall{before: []string{"<start_function_call>"}, until: braces, clean: colonName, dialect: functionGemma,
				close: []string{"<end_function_call>"}}
		},
	},
	{
		name:     "mistral",
		spelled:  mistralSpelling,
		thinking: "[THINK]",
		signs:    [][]string{{"[TOOL_CALLS]"}},
		open:     []string{"[TOOL_CALLS]"},
		marks:    []string{"[CALL_ID]", "[ARGS]"},
		ids:      true,
		idLength: 9,
		begin: func() reader {
			mark := []string{"[TOOL_CALLS]"}
			return &either{before: mark, json: &objectCall{},
				other: &namedCall{before: mark, until: braces, clean: mistralName, dialect: jsonDialect}}
		},
	},
	{
		name:    "lfm2",
		spelled: lfm2Spelling,
		signs:   [][]string{{"<|tool_call_start|>"}, {"<|tool_list_start|>"}, {"List of tools: [", "keep_past_thinking"}},
		open:    []string{"<|tool_call_start|>"},
		marks:   []string{"<|tool_call_end|>"},
		begin: func() reader {
			opening, closing := []string{"<|tool_call_start|>", "```python"}, []string{"```", "<|tool_call_end|>"}
			return &either{before: opening, json: &objectCall{close: closing}, other: pythonCalls(opening, closing)}
		},
	},
	{
		name:    "deepseek",
		spelled: deepSeekSpelling,
		signs:   [][]string{{"<｜tool▁call▁begin｜>"}},
		open:    []string{"<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>"},
		marks:   []string{"<｜tool▁sep｜>", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"},
		begin: func() reader {
			return &namedCall{before: []string{"<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>"}, until: braces, clean: deepSeekName, dialect: jsonDialect,
				close: []string{"```", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"}, empty: []string{"<｜tool▁call▁end｜>"}}
		},
	},
	{
		name:    "deepseek-dsml",
		spelled: dsmlSpelling,
		signs:   [][]string{{"｜DSML｜"}},
		open:    []string{"<｜DSML｜function_calls>", "<｜DSML｜tool_calls>"},
		begin:   func() reader { return &xmlCall{xmlMarks: dsml} },
	},
	{
		name:    "kimi",
		spelled: kimiSpelling,
		ids:     true,
		signs:   [][]string{{"<|tool_call_begin|>"}},
		open:    []string{"<|tool_calls_section_begin|>", "<|tool_call_begin|>"},
		marks:   []string{"<|tool_call_argument_begin|>", "<|tool_call_end|>", "<|tool_calls_section_end|>"},
		begin: func() reader {
			return &namedCall{before: []string{"<|tool_calls_section_begin|>", "<|tool_call_begin|>"}, until: braces, clean: kimiName, dialect: jsonDialect,
				close: []string{"<|tool_call_end|>", "<|tool_calls_section_end|>"}, empty: []string{"<|tool_call_end|>"}}
		},
	},
	{
		name:    "qwen3-coder",
		spelled: qwenCoderSpelling,
		signs:   [][]string{{"<tool_call>", "<function=", "<parameter="}},
		open:    []string{"<tool_call>", "<function="},
		marks:   []string{"</tool_call>"},
		thinks:  true,
		begin:   func() reader { return jsonOrXML() },
	},
	{
		name:     "seed",
		spelled:  seedSpelling,
		thinking: "<seed:think>",
		signs:    [][]string{{"<seed:tool_call>"}},
		open:     []string{"<seed:tool_call>"},
		marks:    []string{"</seed:tool_call>"},
		begin:    func() reader { return &xmlCall{xmlMarks: seed} },
	},
	{
		name:    "minimax",
		spelled: miniMaxSpelling,
		signs:   [][]string{{"<minimax:tool_call>"}},
		open:    []string{"<minimax:tool_call>"},
		marks:   []string{"</minimax:tool_call>"},
		begin:   func() reader { return &xmlCall{xmlMarks: miniMax} },
	},
	{
		name:    "minicpm",
		spelled: miniCPMSpelling,
		signs:   [][]string{{"<function name=", "<param name="}},
		open:    []string{`<function name="`},
		begin:   func() reader { return &xmlCall{xmlMarks: miniCPM} },
	},
	{
		name:     "hunyuan",
		spelled:  hunyuanSpelling,
		thinking: "<think:opensource>",
		signs:    [][]string{{"<tool_call", "<arg_key", "<tool_sep", "opensource"}},
		open:     []string{"<tool_calls:opensource>", "<tool_call:opensource>"},
		begin:    func() reader { return &xmlCall{xmlMarks: hunyuan} },
	},
	{
		name:    "glm",
		spelled: glmSpelling,
		signs:   [][]string{{"<tool_call>", "<arg_key>", "<arg_value>"}},
		open:    []string{"<tool_call>"},
		marks:   []string{"</tool_call>", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"},
		begin:   func() reader { return &xmlCall{xmlMarks: glm} },
	},
	{
		name:     "granite",
		spelled:  listOf("<|tool_call|>", named, ""),
		thinking: "<response></response>",
		signs:    [][]string{{"<|start_of_role|>", "<|tool_call|>"}},
		open:     []string{"<|tool_call|>", "<tool_call>"},
		marks:    []string{"</tool_call>"},
		begin: func() reader {
			return &objectCall{before: []string{"<|tool_call|>", "<tool_call>"}, close: []string{"</tool_call>"}}
		},
	},
	{
		name:    "phi",
		spelled: phiSpelling,
		signs:   [][]string{{"<|tool|>", "<|/tool|>"}, {"<|tool_call|>"}, {"functools["}},
		open:    []string{"<|tool_call|>", "<|tool_calls|>", "functools["},
		marks:   []string{"<|/tool_call|>", "<|/tool_calls|>"},
		begin: func() reader {
			return &objectCall{before: []string{"<|tool_call|>", "<|tool_calls|>", "functools"}, close: []string{"<|/tool_call|>", "<|/tool_calls|>"}}
		},
	},
	{
		name:     "cohere",
		spelled:  cohereSpelling,
		thinking: "<|START_THINKING|>",
		signs:    [][]string{{"<|START_ACTION|>"}},
		open:     []string{"<|START_ACTION|>"},
		marks:    []string{"<|END_ACTION|>"},
		begin: func() reader {
			return &objectCall{before: []string{"<|START_ACTION|>"}, close: []string{"<|END_ACTION|>"}}
		},
	},
	{
		name:    "gigachat",
		spelled: gigaChatSpelling,
		signs:   [][]string{{"<|function_call|>{"}, {"<|function_call|>", "<|role_sep|>"}},
		open:    []string{"<|function_call|>"},
		begin:   func() reader { return &objectCall{before: []string{"<|function_call|>"}} },
	},
	{
		name:     "apertus",
		spelled:  listOf("<|tools_prefix|>", `{"{name}": {arguments}}`, "<|tools_suffix|>"),
		thinking: "<|inner_prefix|>",
		signs:    [][]string{{"<|tools_prefix|>"}},
		open:     []string{"<|tools_prefix|>"},
		marks:    []string{"<|tools_suffix|>"},
		begin: func() reader {
			return &objectCall{before: []string{"<|tools_prefix|>"}, close: []string{"<|tools_suffix|>"}, keyed: true}
		},
	},
	{
		name:    "nemotron",
		spelled: listOf("<TOOLCALL>", named, "</TOOLCALL>"),
		signs:   [][]string{{"<TOOLCALL>"}},
		open:    []string{"<TOOLCALL>"},
		marks:   []string{"</TOOLCALL>"},
		begin:   func() reader { return &objectCall{before: []string{"<TOOLCALL>"}, close: []string{"</TOOLCALL>"}} },
	},
	{
		name:    "tool_calls",
		spelled: toolCallsSpelling,
		signs:   [][]string{{"<tool_calls>"}},
		open:    []string{"<tool_calls>"},
		marks:   []string{"</tool_calls>"},
		begin:   func() reader { return &objectCall{before: []string{"<tool_calls>"}, close: []string{"</tool_calls>"}} },
	},
	{
		name:    "hermes",
		spelled: hermesSpelling,
		signs:   [][]string{{"<tool_call>"}},
		unlike:  "minimax[>[", // whose tags are not these
		open:    []string{"<tool_call>"},
		marks:   []string{"</tool_call>"},
		begin:   func() reader { return jsonOrXML() },
	},
	{
		name:    "olmo",
		spelled: olmoSpelling,
		signs:   [][]string{{"<function_calls>"}},
		open:    []string{"<function_calls>"},
		marks:   []string{"</function_calls>"},
		begin:   func() reader { return pythonCalls([]string{"<function_calls>"}, []string{"</function_calls>"}) },
	},
	{
		name:    "functionary",
		spelled: functionarySpelling,
		signs:   [][]string{{"<function=", "</function>"}},
		open:    []string{"<function="},
		marks:   []string{"</function>"},
		begin: func() reader {
			return &namedCall{before: []string{"<function="}, until: braces, clean: functionaryName, dialect: jsonDialect, close: []string{"</function>"}}
		},
	},
	{
		name:    "pythonic",
		spelled: pythonicSpelling,
		signs:   [][]string{{"<|header_start|>", "func_name1("}},
		open:    []string{"<|python_start|>", "["},
		marks:   []string{"<|python_end|>"},
		bare:    true,
		begin:   func() reader { return pythonCalls([]string{"<|python_start|>"}, []string{"<|python_end|>"}) },
	},
	{
		name:    "llama3",
		spelled: llamaSpelling,
		signs:   [][]string{{"<|start_header_id|>", `"parameters"`}, {"<|header_start|>", `"parameters"`}, {"<|python_tag|>"}},
		open:    []string{"<|python_tag|>", "<|python_start|>", "{"},
		marks:   []string{"<|python_end|>"},
		bare:    true,
		begin: func() reader {
			opening, closing := []string{"<|python_tag|>", "<|python_start|>"}, []string{"<|python_end|>"}
			return &either{before: opening, json: &objectCall{close: closing}, other: pythonCalls(opening, closing)}
		},
	},
}
