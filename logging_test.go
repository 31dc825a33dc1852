package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// TestLogsAreJSON: a line is an object with level, time and message, and the flag decides from which level on.
func TestLogsAreJSON(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"by default":     {nil, []string{"info", "error"}},
		"errors alone":   {[]string{"--zap-log-level=error"}, []string{"error"}},
		"debug as well":  {[]string{"--zap-log-level=debug"}, []string{"debug", "info", "error"}},
		"more than that": {[]string{"--zap-log-level=5"}, []string{"debug", "debug", "info", "error"}},
	} {
		t.Run(name, func(t *testing.T) {
			flags := flag.NewFlagSet("manager", flag.ContinueOnError)
			flags.SetOutput(io.Discard)
			_, logging := parseFlags(flags, test.args, func(string) string { return "" })
			var out bytes.Buffer
			log := zap.New(zap.UseFlagOptions(logging), zap.WriteTo(&out)).WithName("webhooks")
			log.V(3).Info("Looked closer")
			log.V(1).Info("Looked")
			log.Info("Stored", "platform", "hotmart")
			log.Error(errors.New("no answer"), "Cannot store")
			var levels []string
			for line := range strings.Lines(out.String()) {
				var said struct {
					Level, TS, Logger, Msg string
				}
				if err := json.Unmarshal([]byte(line), &said); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
				_, err := time.Parse(time.RFC3339, said.TS)
				if err != nil || said.Msg == "" || said.Logger != "webhooks" {
					t.Errorf("%s lacks a time, a logger or a message", line)
				}
				levels = append(levels, said.Level)
			}
			if diff := cmp.Diff(test.want, levels); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
