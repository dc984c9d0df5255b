export default function Day() {
  return null
}
