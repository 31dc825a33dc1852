// Package scaffold has no code, only tests: they follow the recipes of AGENTS.md in a copy of the module,
// and fail when a recipe names other files than are needed.
package scaffold
