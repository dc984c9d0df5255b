export default function Bar() {
  return null
}
