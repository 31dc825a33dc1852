package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// mutant is one small change to a package.
type mutant struct {
	// id is what the environment names it by.
	id int
	// file is the name of the file, function that of what encloses the change.
	file, function string
	line           int
	// source is the line, change what becomes of it.
	source, change string
}

// finder puts the mutants of one file behind switches.
type finder struct {
	*loaded
	source
	*edits
	only     *regexp.Regexp
	function string
	found    []mutant
	// next is the number of the next mutant.
	next int
}

// find returns the mutants of all files in the order of their lines, and the files with them.
func find(l *loaded, only *regexp.Regexp) ([]mutant, map[string][]byte) {
	var all []mutant
	files := map[string][]byte{}
	for _, each := range l.sources {
		f := &finder{loaded: l, source: each, edits: newEdits(), only: only, next: len(all) + 1}
		for _, declaration := range each.tree.Decls {
			f.declaration(declaration)
		}
		all = append(all, f.found...)
		files[each.path] = f.apply(each.text)
	}
	return all, files
}

// declaration looks at what may be changed: functions, and variables of the package.
func (f *finder) declaration(declaration ast.Decl) {
	f.function = ""
	if function, is := declaration.(*ast.FuncDecl); is {
		f.function = nameOf(function)
	}
	if f.only != nil && !f.only.MatchString(filepath.Base(f.path)+":"+f.function) {
		return
	}
	ast.PreorderStack(declaration, nil, func(node ast.Node, parents []ast.Node) bool {
		if !f.mayChange(node) || f.isRoom(node, parents) {
			return false
		}
		f.statement(node, parents)
		f.decision(node, parents)
		f.boundary(node)
		f.arithmetic(node)
		f.ofTime(node)
		f.extreme(node)
		f.caseOf(node, parents)
		return !f.constant(node, parents)
	})
}

// nameOf is a function's name, with the type that it is a method of.
func nameOf(function *ast.FuncDecl) string {
	if function.Recv == nil {
		return function.Name.Name
	}
	of := function.Recv.List[0].Type
	if pointer, is := of.(*ast.StarExpr); is {
		of = pointer.X
	}
	return types.ExprString(of) + "." + function.Name.Name
}

// mayChange is false for what the compiler needs to know: types, constants and imports.
func (f *finder) mayChange(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.GenDecl:
		return n.Tok == token.VAR
	case ast.Expr:
		return !f.info.Types[n].IsType()
	}
	return true
}

// isRoom says whether a node is a guess at how much room is needed: any other is as good.
func (f *finder) isRoom(node ast.Node, parents []ast.Node) bool {
	if len(parents) == 0 {
		return false
	}
	call, is := parents[len(parents)-1].(*ast.CallExpr)
	if !is || types.ExprString(call.Fun) != "make" || node != call.Args[len(call.Args)-1] {
		return false
	}
	_, isMap := f.info.Types[call.Args[0]].Type.Underlying().(*types.Map)
	return isMap || len(call.Args) == 3
}

// add notes a mutant, and returns its number.
func (f *finder) add(at ast.Node, change string) int {
	position := f.fileSet.Position(at.Pos())
	lines := bytes.Split(f.text, []byte("\n"))
	f.found = append(f.found, mutant{
		id: f.next, file: filepath.Base(f.path), function: f.function, line: position.Line,
		source: string(bytes.TrimSpace(lines[position.Line-1])), change: change,
	})
	f.next++
	return f.next - 1
}

func (f *finder) offset(at token.Pos) int { return f.fileSet.Position(at).Offset }

// longest is how much of a node a change shows.
const longest = 120

// codeOf is a node as it is written, in one line and between backquotes.
func (f *finder) codeOf(node ast.Node) string {
	code := strings.Join(strings.Fields(string(f.text[f.offset(node.Pos()):f.offset(node.End())])), " ")
	if len(code) > longest {
		code = code[:longest] + "…"
	}
	return "`" + code + "`"
}

// wrapf puts a call around a node.
func (f *finder) wrapf(node ast.Node, format string, arguments ...any) {
	f.around(f.offset(node.Pos()), f.offset(node.End()), fmt.Sprintf(format, arguments...), ")")
}

// isBool says whether an expression is a bool that the compiler does not know.
func (f *finder) isBool(expression ast.Expr) bool {
	of := f.info.Types[expression]
	basic, is := of.Type.(*types.Basic)
	return is && basic.Info()&types.IsBoolean != 0 && of.Value == nil
}

// decision forces a condition, and what it is made of, to be true and to be false. That a condition
// is negated is seen by whoever sees both, so that is no mutant of its own.
func (f *finder) decision(node ast.Node, parents []ast.Node) {
	expression, is := node.(ast.Expr)
	if _, inParentheses := node.(*ast.ParenExpr); !is || inParentheses || !f.isBool(expression) {
		return
	}
	for _, to := range forced(expression, parents) {
		f.wrapf(node, "mutantForce(%d, %t, ", f.add(node, fmt.Sprintf("%s becomes %t", f.codeOf(node), to)), to)
	}
}

// forced are the values that a condition is forced to: what no other mutant near it shows.
func forced(expression ast.Expr, parents []ast.Node) []bool {
	switch parent := parentOf(parents).(type) {
	case *ast.BinaryExpr:
		switch parent.Op {
		case token.LAND:
			return []bool{true}
		case token.LOR:
			return []bool{false}
		}
		return nil
	case *ast.CallExpr, *ast.AssignStmt, *ast.KeyValueExpr, *ast.ValueSpec:
		if isJudgement(expression) {
			return outcomes(expression)
		}
	case *ast.IfStmt, *ast.ReturnStmt:
		return outcomes(expression)
	case *ast.ForStmt:
		return []bool{false} // the other way it would never end
	case *ast.CaseClause:
		if tagOf(parents) == nil {
			return outcomes(expression)
		}
	}
	return nil
}

// tagOf is what the closest switch compares, nil where its cases are conditions.
func tagOf(parents []ast.Node) ast.Expr {
	for _, parent := range slices.Backward(parents) {
		if of, is := parent.(*ast.SwitchStmt); is {
			return of.Tag
		}
	}
	return nil
}

// outcomes are what a whole condition is forced to.
func outcomes(expression ast.Expr) []bool {
	if binary, is := expression.(*ast.BinaryExpr); is && binary.Op == token.LAND {
		return []bool{false}
	} else if is && binary.Op == token.LOR {
		return []bool{true}
	}
	return []bool{true, false}
}

// parentOf is the closest parent that is more than parentheses.
func parentOf(parents []ast.Node) ast.Node {
	for _, parent := range slices.Backward(parents) {
		if _, is := parent.(*ast.ParenExpr); !is {
			return parent
		}
	}
	return nil
}

// isJudgement says whether an expression makes its bool, and does not only pass one on.
func isJudgement(expression ast.Expr) bool {
	switch expression.(type) {
	case *ast.BinaryExpr, *ast.UnaryExpr:
		return true
	}
	return false
}

// boundary moves < to <=, > to >=, and back.
func (f *finder) boundary(node ast.Node) {
	binary, is := node.(*ast.BinaryExpr)
	if !is || f.info.Types[binary].Value != nil {
		return
	}
	moved := map[token.Token]struct{ call, to string }{
		token.LSS: {"mutantLess", "<="}, token.GTR: {"mutantMore", ">="},
		token.LEQ: {"mutantAtMost", "<"}, token.GEQ: {"mutantAtLeast", ">"},
	}[binary.Op]
	if moved.call != "" {
		f.call(binary, moved.call, moved.to)
	}
}

// arithmetic makes + of - and - of +.
func (f *finder) arithmetic(node ast.Node) {
	switch n := node.(type) {
	case *ast.BinaryExpr:
		if !f.isNumber(n) {
			return
		}
		switch n.Op {
		case token.ADD:
			f.call(n, "mutantSum", "-")
		case token.SUB:
			f.call(n, "mutantDifference", "+")
		}
	case *ast.AssignStmt:
		if (n.Tok == token.ADD_ASSIGN || n.Tok == token.SUB_ASSIGN) && f.isNumber(n.Rhs[0]) {
			id := f.add(n, f.codeOf(n)+" counts the other way")
			f.wrapf(n.Rhs[0], "mutantOpposite(%d, ", id)
		}
	}
}

// call makes a call of an operation.
func (f *finder) call(binary *ast.BinaryExpr, function, to string) {
	id := f.add(binary, fmt.Sprintf("%s in %s becomes %s", binary.Op, f.codeOf(binary), to))
	f.wrapf(binary, "%s(%d, ", function, id)
	at := f.offset(binary.OpPos)
	f.replace(at, at+len(binary.Op.String()), ",")
}

// isNumber says whether an expression is a number that the compiler does not know.
func (f *finder) isNumber(expression ast.Expr) bool {
	of := f.info.Types[expression]
	if of.Type == nil || of.Value != nil {
		return false
	}
	basic, is := of.Type.Underlying().(*types.Basic)
	return is && basic.Info()&types.IsNumeric != 0
}

// ofTime moves the boundary of Before and After, and adds durations to times the other way.
func (f *finder) ofTime(node ast.Node) {
	call, selector, method := f.method(node)
	switch method {
	case "(time.Time).Before", "(time.Time).After":
		id := f.add(call, f.codeOf(call)+" is true at the instant too")
		f.around(f.offset(call.Pos()), f.offset(call.End()), fmt.Sprintf("mutant%s(%d, ", selector.Sel.Name, id), "")
		f.replace(f.offset(selector.X.End()), f.offset(call.Lparen)+1, ", ")
	case "(time.Time).Add":
		id := f.add(call, f.codeOf(call)+" goes the other way")
		f.wrapf(call.Args[0], "mutantBackwards(%d, ", id)
	}
}

// method is the full name of the method that a node calls, "" for another node.
func (f *finder) method(node ast.Node) (*ast.CallExpr, *ast.SelectorExpr, string) {
	call, is := node.(*ast.CallExpr)
	if !is {
		return nil, nil, ""
	}
	selector, is := call.Fun.(*ast.SelectorExpr)
	if !is || f.info.Selections[selector] == nil {
		return nil, nil, ""
	}
	function, is := f.info.Selections[selector].Obj().(*types.Func)
	if !is {
		return nil, nil, ""
	}
	return call, selector, function.FullName()
}

// extreme makes min of max and max of min.
func (f *finder) extreme(node ast.Node) {
	call, is := node.(*ast.CallExpr)
	if !is || len(call.Args) != 2 || f.info.Types[call].Value != nil {
		return
	}
	function, is := call.Fun.(*ast.Ident)
	if !is || !f.info.Types[function].IsBuiltin() {
		return
	}
	other := map[string]struct{ call, name string }{
		"min": {"mutantMin", "max"}, "max": {"mutantMax", "min"},
	}[function.Name]
	if other.call != "" {
		id := f.add(call, f.codeOf(call)+" becomes "+other.name)
		f.replace(f.offset(call.Pos()), f.offset(call.Lparen)+1, fmt.Sprintf("%s(%d, ", other.call, id))
	}
}

// statement drops an assignment, a call, a count, a break or a continue.
func (f *finder) statement(node ast.Node, parents []ast.Node) {
	if len(parents) == 0 || !f.mayDrop(node) {
		return
	}
	switch parents[len(parents)-1].(type) {
	case *ast.BlockStmt, *ast.CaseClause:
		id := f.add(node, f.codeOf(node)+" is dropped")
		f.around(f.offset(node.Pos()), f.offset(node.End()), fmt.Sprintf("if mutantKeep(%d) { ", id), " }")
	}
}

func (f *finder) mayDrop(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.AssignStmt:
		blank, is := n.Lhs[0].(*ast.Ident)
		return n.Tok != token.DEFINE && (!is || blank.Name != "_")
	case *ast.ExprStmt:
		call, is := n.X.(*ast.CallExpr)
		return is && types.ExprString(call.Fun) != "panic"
	case *ast.BranchStmt:
		return n.Label == nil && (n.Tok == token.BREAK || n.Tok == token.CONTINUE)
	case *ast.IncDecStmt:
		return true
	}
	return false
}

// caseOf has a switch not know one of its values.
func (f *finder) caseOf(node ast.Node, parents []ast.Node) {
	clause, is := node.(*ast.CaseClause)
	if !is {
		return
	}
	of, is := parents[len(parents)-2].(*ast.SwitchStmt)
	if !is || of.Tag == nil {
		return
	}
	for _, value := range clause.List {
		if f.typeIsKept(value) {
			f.wrapf(value, "mutantNever(%d, ", f.add(value, "no case "+f.codeOf(value)))
		}
	}
}

// typeIsKept says whether an expression has its type wherever it stands.
func (f *finder) typeIsKept(expression ast.Expr) bool {
	of := f.info.Types[expression].Type
	if basic, is := of.(*types.Basic); is {
		return basic.Kind() == types.String || basic.Kind() == types.Int
	}
	name := expression
	if selector, is := name.(*ast.SelectorExpr); is {
		name = selector.Sel
	}
	identifier, is := name.(*ast.Ident)
	return is && f.info.Uses[identifier] != nil && types.Identical(f.info.Uses[identifier].Type(), of)
}

// constant changes a constant that is used, by one or by a second, and turns true and false. It says
// whether the node is a constant: what that is made of is not looked at.
func (f *finder) constant(node ast.Node, parents []ast.Node) bool {
	expression, is := node.(ast.Expr)
	if !is || f.info.Types[expression].Value == nil {
		return false
	}
	if len(parents) == 0 || f.isFixed(expression, parents) {
		return true
	}
	of := f.info.Types[expression]
	basic, isBasic := of.Type.(*types.Basic)
	switch {
	case of.Value.Kind() == constant.Bool && isBasic:
		id := f.add(node, f.codeOf(node)+" becomes the opposite")
		f.wrapf(node, "mutantNot(%d, ", id)
	case of.Type.String() == "time.Duration":
		f.vary(node, "mutantLonger", "mutantShorter", unitOf(of.Value))
	case isBasic && basic.Info()&types.IsInteger != 0 && basic.Info()&types.IsUntyped == 0:
		f.vary(node, "mutantPlus["+basic.Name()+"]", "mutantMinus["+basic.Name()+"]", 1)
	}
	return true
}

// isFixed says whether a constant has to stay one.
func (f *finder) isFixed(expression ast.Expr, parents []ast.Node) bool {
	switch parent := parents[len(parents)-1].(type) {
	case *ast.CaseClause:
		return true
	case *ast.KeyValueExpr:
		return parent.Key == expression
	case *ast.CallExpr:
		return parent.Fun == expression
	}
	return false
}

// unitOf is how much a duration is changed by: times in resources are no finer than that.
func unitOf(value constant.Value) time.Duration {
	if length, exact := constant.Int64Val(value); exact && time.Duration(length).Abs() < time.Second {
		return 1
	}
	return time.Second
}

// vary makes a number greater and smaller.
func (f *finder) vary(node ast.Node, greater, smaller string, unit time.Duration) {
	shown := "1"
	if unit > 1 {
		shown = unit.String()
	}
	for _, each := range []struct{ function, change string }{{greater, "greater by"}, {smaller, "less by"}} {
		id := f.add(node, fmt.Sprintf("%s becomes %s %s", f.codeOf(node), each.change, shown))
		f.around(f.offset(node.Pos()), f.offset(node.End()),
			fmt.Sprintf("%s(%d, ", each.function, id), fmt.Sprintf(", %d)", unit))
	}
}
