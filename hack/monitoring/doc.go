// Package monitoring tests the alerts and dashboards of config/monitoring.
package monitoring
