package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

func handle(context.Context) (map[string]string, error) {
	return map[string]string{"greeting": "Hello from Go"}, nil
}

func main() { lambda.Start(handle) }
