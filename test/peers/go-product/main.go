// Command chained is a product whose modules come through several proxies.
package main

import "github.com/spf13/cobra"

func main() {
	_ = (&cobra.Command{Use: "chained"}).Execute()
}
