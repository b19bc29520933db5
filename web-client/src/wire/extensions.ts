// Short names of the RTP header extensions we speak, with their addresses.
export const AUDIO_EXTENSIONS = {
  mid: 'urn:ietf:params:rtp-hdrext:sdes:mid',
  level: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  twcc: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  ast: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  act: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
} as const;

/*
 * The dependency descriptor is agreed on where pictures are received, and where AV1 is sent. Where
 * VP8 is sent it is not: Chromium would strip picture numbers and layers from the payloads, and
 * viewers without the extension could not follow.
 */
export const VIDEO_EXTENSIONS = {
  mid: AUDIO_EXTENSIONS.mid,
  rid: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  rrid: 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  twcc: AUDIO_EXTENSIONS.twcc,
  ast: AUDIO_EXTENSIONS.ast,
  act: AUDIO_EXTENSIONS.act,
  pd: 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
  vo: 'urn:3gpp:video-orientation',
  dd: 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
} as const;
