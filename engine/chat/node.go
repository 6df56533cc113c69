package chat

// node is a statement or piece of text; expression gives a value.
type (
	node       interface{ run(e *evaluator, s *scope) }
	expression interface {
		eval(e *evaluator, s *scope) any
	}
)

type (
	textNode   struct{ text string }
	outputNode struct {
		line  int
		value expression
	}
	ifNode struct {
		condition   expression
		then, else_ []node
	}
	forNode struct {
		line        int
		targets     []string
		source      expression
		filter      expression // nil: all items
		body, else_ []node
	}
	setNode struct {
		line    int
		targets []assignee
		value   expression
	}
	setBlockNode struct {
		target  assignee
		filters []filterNode
		body    []node
	}
	macroNode struct {
		name string
		macroBody
	}
	callNode struct {
		call *callExpression
		body macroBody
	}
	filterBlockNode struct {
		filters []filterNode
		body    []node
	}
	blockNode struct{ body []node } // a block of its own scope
	withNode  struct {
		sets []node
		body []node
	}
	breakNode    struct{}
	continueNode struct{}
)

// macroBody is what a macro and a call block share: parameters, their defaults, and a body.
type macroBody struct {
	parameters []string
	defaults   map[string]expression
	body       []node
}

// assignee is a name, or an attribute of a namespace.
type assignee struct{ name, attribute string }

type (
	literal  struct{ value any }
	nameNode struct {
		line int
		name string
	}
	listNode struct {
		items []expression
		tuple bool
	}
	dictNode struct {
		line         int
		keys, values []expression
	}
	unaryNode struct {
		line     int
		operator string
		value    expression
	}
	binaryNode struct {
		line        int
		operator    string
		left, right expression
	}
	compareNode struct {
		line      int
		first     expression
		operators []string
		rest      []expression
	}
	choiceNode    struct{ condition, then, else_ expression } // else_ may be nil
	attributeNode struct {
		line  int
		value expression
		name  string
	}
	indexNode struct {
		line         int
		value, index expression
	}
	sliceNode struct {
		line              int
		value             expression
		start, stop, step expression // nil where left out
	}
	callExpression struct {
		line     int
		function expression
		arguments
	}
	filterNode struct {
		line  int
		name  string
		value expression // nil in a filter block
		arguments
	}
	testNode struct {
		line   int
		name   string
		negate bool
		value  expression
		arguments
	}
)

type arguments struct {
	positional []expression
	spread     []bool // positional[i] is *positional[i]
	names      []string
	named      []expression
}
