package toolcall

// xmlMarks are the marks of a syntax that has each argument between marks of its own.
type xmlMarks struct {
	around   []string // marks around functions
	function string   // the beginning of a function, before its name
	named    string   // the end of the name
	end      string   // of a function
	argument string   // the beginning of an argument, before its name
	keyed    string   // the end of its name
	open     string   // the beginning of its value, where something may stand before it
	close    string   // the end of its value
	lines    bool     // a line break stands on both sides of a value
	typed    bool     // what stands before a value says whether it is a text
	cdata    bool     // a text may stand in <![CDATA[…]]>
}

var (
	qwenCoder = xmlMarks{
		around: []string{"<tool_call>", "</tool_call>"}, function: "<function=", named: ">", end: "</function>",
		argument: "<parameter=", keyed: ">", close: "</parameter>", lines: true,
	}
	seed = xmlMarks{
		around: []string{"<seed:tool_call>", "</seed:tool_call>"}, function: "<function=", named: ">", end: "</function>",
		argument: "<parameter=", keyed: ">", close: "</parameter>",
	}
	miniMax = xmlMarks{
		around: []string{"<minimax:tool_call>", "</minimax:tool_call>"}, function: `<invoke name="`, named: `">`, end: "</invoke>",
		argument: `<parameter name="`, keyed: `"`, open: ">", close: "</parameter>",
	}
	miniCPM = xmlMarks{
		function: `<function name="`, named: `">`, end: "</function>",
		argument: `<param name="`, keyed: `"`, open: ">", close: "</param>", cdata: true,
	}
	dsml = xmlMarks{
		around:   []string{"<｜DSML｜function_calls>", "</｜DSML｜function_calls>", "<｜DSML｜tool_calls>", "</｜DSML｜tool_calls>"},
		function: `<｜DSML｜invoke name="`, named: `">`, end: "</｜DSML｜invoke>",
		argument: `<｜DSML｜parameter name="`, keyed: `"`, open: ">", close: "</｜DSML｜parameter>", typed: true,
	}
	glm = xmlMarks{
		function: "<tool_call>", named: "\n", end: "</tool_call>",
		argument: "<arg_key>", keyed: "</arg_key>", open: "<arg_value>", close: "</arg_value>",
	}
	hunyuan = xmlMarks{
		around:   []string{"<tool_calls:opensource>", "</tool_calls:opensource>"},
		function: "<tool_call:opensource>", named: "<tool_sep:opensource>", end: "</tool_call:opensource>",
		argument: "<arg_key:opensource>", keyed: "</arg_key:opensource>", open: "<arg_value:opensource>", close: "</arg_value:opensource>",
	}
)

// jsonOrXML reads what stands in <tool_call>: models that were taught one syntax fall into the other at times.
func jsonOrXML() reader {
	open := []string{"<tool_call>"}
	return &either{before: open, json: &objectCall{before: open, close: []string{"</tool_call>"}}, other: &xmlCall{xmlMarks: qwenCoder}}
}
