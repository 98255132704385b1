export { HttpError, type HttpErrorCode } from './http-error.ts';
export { type HttpServer, type HttpServerOptions, type Listen, openHttpServer } from './open-http-server.ts';
export { openRecordingSocket, type RecordingSocketOptions, type Served } from './open-recording-socket.ts';
export { webHandler } from './web-handler.ts';
