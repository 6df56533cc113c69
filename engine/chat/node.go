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
		line   int
		value  expression
		escape escaping
	}
	printNode struct{ values []outputNode }
	ifNode    struct {
		condition   expression
		then, else_ []node
	}
	forNode struct {
		line        int
		target      target
		source      expression
		filter      expression // nil: all items
		recursive   bool
		escape      escaping // of what a recursive loop gives
		body, else_ []node
	}
	setNode struct {
		line   int
		target target
		value  expression
	}
	setBlockNode struct {
		line    int
		target  target
		filters []filterNode
		escape  escaping
		body    []node
	}
	macroNode struct{ macroBody }
	callNode  struct {
		line int
		call *callExpression
		body macroBody
	}
	filterBlockNode struct {
		line    int
		filters []filterNode
		escape  escaping
		body    []node
	}
	blockNode struct {
		scoped bool
		body   []node
	}
	generationNode struct {
		line int
		macroBody
	}
	escapeNode struct {
		on   expression
		body []node
	}
	loadNode struct {
		line    int
		keyword string
	}
	withNode struct {
		line    int
		targets []target
		values  []expression
		body    []node
	}
	breakNode    struct{}
	continueNode struct{}
)

// macroBody is what a macro and a call block share.
type macroBody struct {
	name       string
	parameters []parameter
	uses       uses
	body       []node
}

type parameter struct {
	name   string
	absent expression // its value where none is given, or nil
}

// uses says which of the names that a macro gets without asking stand in its text.
type uses struct{ caller, varargs, kwargs bool }

// target is a name, an attribute of a namespace, or a tuple of targets.
type target struct {
	name, attribute string
	tuple           bool
	parts           []target
}

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
	joinNode struct {
		line   int
		parts  []expression
		escape escaping
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
	positional  []expression
	names       []string
	named       []expression
	spread      expression // what follows *, or nil
	spreadNamed expression // what follows **, or nil
}
