package movein

// ValueOf is what a row has in a column.
func ValueOf(row Row, column string) string { return row.values[column] }
