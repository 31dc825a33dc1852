# Built on the builder's own platform and cross-compiled, so that no emulation is needed.
FROM --platform=${BUILDPLATFORM:-linux/amd64} golang:1.26 AS builder
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src

# Dependencies change seldom: a layer of their own.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
# What --version prints. make docker-build names both.
ARG VERSION=unknown
ARG REVISION=unknown
RUN CGO_ENABLED=0 GOOS=${TARGETOS:-linux} GOARCH=${TARGETARCH} \
    go build -trimpath -ldflags "-s -w \
    -X cartrecovery.dev/operator/internal/version.version=${VERSION} \
    -X cartrecovery.dev/operator/internal/version.revision=${REVISION}" -o manager .

# Nothing but the program, CA certificates and time zones. See https://github.com/GoogleContainerTools/distroless
FROM gcr.io/distroless/static:nonroot
WORKDIR /
COPY --from=builder /src/manager .
USER 65532:65532

ENTRYPOINT ["/manager"]
