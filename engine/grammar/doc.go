// Package grammar tells which tokens may come next in a text that must follow a JSON Schema, a regular expression or a
// grammar in llama.cpp's GBNF, and so has a model write nothing else.
//
// # From source to automata
//
// All three become rules, each an automaton over bytes whose steps are bytes or calls of other rules (nfa.go, build.go).
// Three rewritings follow. Empty texts are taken out of rules (empty.go) and left recursion is taken out of starts
// (leftrecursion.go), so that only finitely many calls stack up between two bytes. Whatever leads nowhere is taken out
// (finish.go): from each state that is left some text leads to the end, so a mask never leads into a dead end, and what
// nothing satisfies is an error that names it.
//
// Counts are numbers, not copies: a call says how often what it calls must and may tick, and a configuration holds what is
// left of both. Where not every state allows every length (a pattern with maxLength) lengths.go knows which lengths lead
// on, as sets of states that repeat.
//
// A schema is taken apart by goals: sets of schemas that must hold, or must not, for one value (schemagoal.go). A goal is
// expanded into alternatives, each plain by type (schemaexpand.go, schemarefute.go), whose parts are goals again. There are
// finitely many, each is one rule, and so allOf, anyOf, oneOf, not, if and $ref combine freely, with recursion. What texts
// and numbers must be at once is a product of deterministic automata (dfa.go, number.go).
//
// Limits bound all of it. Whatever may take long counts its steps (limits.go), each worth about as much time, so a source that
// would take more than a second is refused; and there a tab's thread is given to others every few milliseconds.
//
// # From automata to masks
//
// A text has been read in some number of ways: configurations of a state, what is left of its count, and the callers to go
// back to (machine.go). Callers of one rule at one place in the text share a node, as in a graph-structured stack (Tomita
// 1985) or Earley's sets, so ambiguity costs no more than in Earley's algorithm. Nodes and sets of configurations are kept
// once each; so the pushdown automaton becomes deterministic as it is used, and a step that was taken before is one look-up.
// A thread, such a set, never changes: a clone of a matcher is a pointer, and a rollback is keeping one.
//
// A mask is a walk of the vocabulary's trie from a thread: a subtree whose first byte is not possible is skipped. That is
// quick where little may come. Inside texts nearly everything may, so for those states the walk is made once, without
// regard to who called (mask.go): which tokens stay inside or just end there, and the trie of what tokens have behind the
// end. Only the latter is walked again, from the callers. Masks are kept with their threads, and counts that no token can
// tell apart count as the same there (plain.go).
//
// This follows what is known to work: Outlines (Willard and Louf 2023, arXiv 2307.09702) indexes the vocabulary by states
// of an automaton; XGrammar (Dong et al. 2024, arXiv 2411.15100) splits it into tokens that depend on the stack and those
// that do not, over a pushdown automaton of bytes with persistent stacks; llguidance walks a trie with an Earley parser over
// a lexer of lazily derived automata, with slices of the vocabulary made ahead. Here there is no lexer, so tokens cross the
// ends of terminals as they like, and masks are exact: a token is allowed if and only if a text of the grammar begins with
// what has been read and the token.
//
// # What texts of a JSON Schema look like
//
// White space: nothing, one space, or an end of line with up to 64 spaces or tabs, behind {, [, comma and colon, and before
// } and ] of what is not empty. Elsewhere there is none.
//
// Order: properties come as the schema names them; then those that are only required, then any others that the schema
// allows. With allOf and $ref the order is that in which the schemas are met. Names of properties are spelled one way.
//
// Texts: any escapes in texts that nothing is said of; where a pattern, a format or an enum says something, characters
// stand by themselves and escapes only where JSON needs them. Lengths count characters. Halves of surrogate pairs come in
// pairs.
//
// Numbers: integers have no point. Numbers with bounds or multipleOf have no exponent; others have one of two digits at most.
// Values of enum and const are spelled as the schema spells them.
//
// Patterns follow ECMA-262 with its flag u, and match anywhere in a text if they have no anchors. Formats hold: date, time,
// date-time, duration, uuid, ipv4, ipv6, hostname, email, uri, uri-reference and json-pointer; hostnames and e-mail
// addresses have at most 63 characters. Where a format must not hold, nothing comes that looks like it.
//
// Names: a name that the schema does not spell out may come twice in an object, as JSON has it; the last counts. So all such
// names together count as one for minProperties, where more than one is asked for beside what is required. Counts: a maximum
// of a billion or more is taken as none.
//
// What is in texts (contentEncoding, contentMediaType, contentSchema) is not looked at, as draft 2020-12 has it.
//
// What is not supported is an error that names it: $dynamicRef to one of several schemas, other schemas by URL, looking
// ahead and references back in patterns, the negation of patternProperties, additionalProperties, unevaluatedProperties,
// unevaluatedItems, propertyNames and uniqueItems, uniqueItems for items other than ten listed values at most, contains with
// counts over 30, minProperties beyond the named properties and one more, formats other than those above, and keywords that
// are not known.
package grammar
