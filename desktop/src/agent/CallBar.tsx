export default function CallBar() {
  return null
}
