package ai

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
)

// promptFunction is a function templates may call.
type promptFunction struct {
	// usage is how it is written.
	usage string
	// result returns the type of its result, nil when the arguments do not fit.
	result func(arguments []reflect.Type) reflect.Type
}

// promptLanguage is every function a template may call.
var promptLanguage = map[string]promptFunction{
	"and":     {usage: "and a b", result: choice},
	"or":      {usage: "or a b", result: choice},
	"not":     {usage: "not a", result: negation},
	"eq":      {usage: `eq .Trigger "PixPending"`, result: comparison},
	"ne":      {usage: `ne .Trigger "PixPending"`, result: exactly(comparison, 2)},
	"len":     {usage: "len .Product.Name", result: texts(1, countType)},
	"print":   {usage: "print a b", result: printing},
	"trim":    {usage: "trim .Product.Name", result: texts(1, textType)},
	"lower":   {usage: "lower .Product.Name", result: texts(1, textType)},
	"upper":   {usage: "upper .Product.Name", result: texts(1, textType)},
	"default": {usage: `default "what to write when it is empty" .Product.Name`, result: texts(2, textType)},
}

// promptFunctions are the functions that text/template lacks or does not bound.
func promptFunctions() template.FuncMap {
	return template.FuncMap{
		"print": boundedPrint,
		"trim":  strings.TrimSpace,
		"lower": strings.ToLower,
		"upper": strings.ToUpper,
		"default": func(fallback, value string) string {
			if strings.TrimSpace(value) == "" {
				return fallback
			}
			return value
		},
	}
}

// boundedPrint is print, refusing what could not be written anyway: nested prints
// would otherwise double their text at every level.
func boundedPrint(arguments ...any) (string, error) {
	total := 0
	for _, argument := range arguments {
		if text, ok := argument.(string); ok {
			total += len(text)
		}
	}
	if total > MaxPrompt {
		return "", errTooLong
	}
	return fmt.Sprint(arguments...), nil
}

// choice is the type of and, or.
func choice(arguments []reflect.Type) reflect.Type {
	if len(arguments) == 0 {
		return nil
	}
	for _, argument := range arguments {
		if argument != arguments[0] {
			return mixedType
		}
	}
	return arguments[0]
}

func negation(arguments []reflect.Type) reflect.Type {
	if len(arguments) != 1 {
		return nil
	}
	return boolType
}

// comparison is the type of eq and ne: values of one kind, not groups.
func comparison(arguments []reflect.Type) reflect.Type {
	if len(arguments) < 2 || !isSimple(arguments[0]) || choice(arguments) != arguments[0] {
		return nil
	}
	return boolType
}

func printing(arguments []reflect.Type) reflect.Type {
	if len(arguments) == 0 || slices.ContainsFunc(arguments, func(t reflect.Type) bool { return !isSimple(t) }) {
		return nil
	}
	return textType
}

// texts is the type of a function of a number of texts.
func texts(count int, result reflect.Type) func([]reflect.Type) reflect.Type {
	return func(arguments []reflect.Type) reflect.Type {
		if len(arguments) != count || slices.ContainsFunc(arguments, func(t reflect.Type) bool {
			return t != textType
		}) {
			return nil
		}
		return result
	}
}

func exactly(result func([]reflect.Type) reflect.Type, count int) func([]reflect.Type) reflect.Type {
	return func(arguments []reflect.Type) reflect.Type {
		if len(arguments) != count {
			return nil
		}
		return result(arguments)
	}
}

func isSimple(t reflect.Type) bool { return t == textType || t == boolType || t == countType }

// checker walks a template and finds, in every branch, what it must not or cannot
// do, so that a template that was accepted does not fail on a customer's data.
type checker struct {
	tree *parse.Tree
}

func (c checker) problem(at parse.Node, format string, arguments ...any) error {
	location, _ := c.tree.ErrorContext(at)
	return fmt.Errorf("%s: %s", location, fmt.Sprintf(format, arguments...))
}

func (c checker) list(list *parse.ListNode, dot reflect.Type) error {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		if err := c.node(node, dot); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) node(node parse.Node, dot reflect.Type) error {
	switch node := node.(type) {
	case *parse.TextNode, *parse.CommentNode:
		return nil
	case *parse.ActionNode:
		return c.action(node, dot)
	case *parse.IfNode:
		if _, err := c.pipe(node.Pipe, dot); err != nil {
			return err
		}
		return c.branches(&node.BranchNode, dot, dot)
	case *parse.WithNode:
		inner, err := c.pipe(node.Pipe, dot)
		if err != nil {
			return err
		}
		return c.branches(&node.BranchNode, inner, dot)
	case *parse.RangeNode, *parse.BreakNode, *parse.ContinueNode:
		return c.problem(node,
			"loops (range) are not available; there is no list to repeat over, name the fields one by one")
	case *parse.TemplateNode:
		return c.problem(node, "template, define and block are not available; write the text where it belongs")
	}
	return c.problem(node, "this is not available; use if, with and the fields of the prompt")
}

func (c checker) branches(branch *parse.BranchNode, then, otherwise reflect.Type) error {
	if err := c.list(branch.List, then); err != nil {
		return err
	}
	return c.list(branch.ElseList, otherwise)
}

// action checks {{…}} that prints.
func (c checker) action(action *parse.ActionNode, dot reflect.Type) error {
	printed, err := c.pipe(action.Pipe, dot)
	switch {
	case err != nil:
		return err
	case printed == mixedType:
		return c.problem(action, "and, or over values of different kinds can only be a condition; print one of them")
	case printed.Kind() == reflect.Struct:
		return c.problem(action, "this is a group, not a text; print one of its fields: %s", fieldNames(printed))
	}
	return nil
}

func (c checker) pipe(pipe *parse.PipeNode, dot reflect.Type) (reflect.Type, error) {
	if len(pipe.Decl) > 0 {
		return nil, c.problem(pipe, "variables are not available; write the field where it is needed")
	}
	var result []reflect.Type
	for _, command := range pipe.Cmds {
		next, err := c.command(command, dot, result)
		if err != nil {
			return nil, err
		}
		result = []reflect.Type{next}
	}
	if len(result) == 0 {
		return nil, c.problem(pipe, "there is nothing between the braces")
	}
	return result[0], nil
}

// command checks a value or a call; piped is what came through |, if anything.
func (c checker) command(command *parse.CommandNode, dot reflect.Type, piped []reflect.Type) (reflect.Type, error) {
	first, rest := command.Args[0], command.Args[1:]
	function, ok := first.(*parse.IdentifierNode)
	if !ok {
		if len(rest)+len(piped) > 0 {
			return nil, c.problem(first, "a value takes no arguments; only functions do")
		}
		return c.operand(first, dot)
	}
	arguments := make([]reflect.Type, 0, len(rest)+len(piped))
	for _, argument := range rest {
		t, err := c.operand(argument, dot)
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, t)
	}
	return c.call(function, append(arguments, piped...))
}

func (c checker) call(function *parse.IdentifierNode, arguments []reflect.Type) (reflect.Type, error) {
	known, ok := promptLanguage[function.Ident]
	if !ok {
		return nil, c.problem(function, "the function %q is not available; there are %s",
			function.Ident, strings.Join(slices.Sorted(maps.Keys(promptLanguage)), ", "))
	}
	result := known.result(arguments)
	if result == nil {
		return nil, c.problem(function, "these are not arguments for %s; it is written like {{%s}}", function.Ident,
			known.usage)
	}
	return result, nil
}

// operand checks one value and returns its type.
func (c checker) operand(node parse.Node, dot reflect.Type) (reflect.Type, error) {
	switch node := node.(type) {
	case *parse.DotNode:
		return dot, nil
	case *parse.FieldNode:
		return c.fields(node, dot, node.Ident)
	case *parse.VariableNode: // only $, as none can be declared
		return c.fields(node, rootType, node.Ident[1:])
	case *parse.ChainNode:
		group, err := c.operand(node.Node, dot)
		if err != nil {
			return nil, err
		}
		return c.fields(node, group, node.Field)
	case *parse.PipeNode:
		return c.pipe(node, dot)
	case *parse.IdentifierNode:
		return c.call(node, nil)
	case *parse.StringNode:
		return textType, nil
	case *parse.BoolNode:
		return boolType, nil
	case *parse.NumberNode:
		if _, err := strconv.ParseInt(node.Text, 10, 32); err == nil {
			return countType, nil
		}
		return nil, c.problem(node, "only whole decimal numbers are available")
	}
	return nil, c.problem(node, "this value is not available; use the fields of the prompt")
}

// fields follows a chain of field names from a type.
func (c checker) fields(at parse.Node, from reflect.Type, names []string) (reflect.Type, error) {
	for _, name := range names {
		if from.Kind() != reflect.Struct {
			return nil, c.problem(at,
				"there is no .%s here: the value before it has no fields (in a with, write $.%s…)", name, name)
		}
		field, ok := from.FieldByName(name)
		if !ok {
			return nil, c.problem(at, "there is no field .%s here; there are %s", name, fieldNames(from))
		}
		from = field.Type
	}
	return from, nil
}

func fieldNames(group reflect.Type) string {
	names := make([]string, 0, group.NumField())
	for field := range group.Fields() {
		names = append(names, "."+field.Name)
	}
	return strings.Join(names, ", ")
}
