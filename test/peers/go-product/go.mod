module product.example/chained

go 1.24.0

require github.com/spf13/cobra v1.9.1
